import AviaryCheckpoint
import AviaryFormats
import AviaryFiles
import Aviary
import AviaryGraph

/// A weights file as its user sees it: which network it holds, where it comes from, what it may be
/// used for. `inspect` shows what is stored in it.
struct FileDescription {
  private let path: String
  private let format: String
  private let architecture: String?
  private let configuration: JSON
  private let network: (graph: Graph, picture: ImageSpec)?
  private let card: Card
  private let storedHash: String?
  private let assumed: [String]

  /// - Throws: what reading a native checkpoint's description, or importing other weights, throws.
  init(_ path: String, registry: Registry) throws {
    self.path = path
    switch try ModelFile.open(path) {
    case .external(let file):
      let model = try naming(path) { try StoredModel.imported(file, registry: registry) }
      format = model.report?.format ?? ""
      let found = model.network
      architecture = found.architecture.isEmpty ? nil : found.architecture
      configuration = found.configuration
      network = (found.graph, found.picture)
      card = model.card
      storedHash = nil
      assumed = model.report?.assumptions ?? []
    case .native(let file):
      let summary = try CheckpointSummary(of: file)
      format = "\(FileFormat.aviaryCheckpoint.name), version \(summary.formatVersion)"
      architecture = summary.architecture
      configuration = try summary.configuration.map { try JSON(parsing: $0) } ?? [:]
      do throws(GraphError) {
        network = try summary.network()
      } catch {
        // The rest of the file is still worth showing.
        Console.warn("\(path): graph or image: \(error)")
        network = nil
      }
      card = summary.card
      storedHash = summary.storedHash
      assumed = []
    }
  }

  /// As text.
  var text: String {
    var sheet = FactSheet()
    sheet.add("File", format)
    sheet.add("Architecture", architecture ?? "not known")
    sheet.add("Configuration", configuration.text)
    sheet.add("Assumed", assumed)
    if let network { NetworkSummary(network.graph, network.picture).describe(in: &sheet) }
    sheet.add("Content hash", storedHash.map { "\($0) (as stored, not verified)" })
    card.describe(in: &sheet)
    return "\(path.printable)\n\n\(sheet.text)"
  }

  /// As JSON, with the graph.
  var json: JSON {
    get throws {
      var members: [String: JSON] = [
        "file": .string(path), "format": .string(format), "configuration": configuration,
        "card": try JSON(encoding: card), "assumed": .array(assumed.map(JSON.string)),
      ]
      members["architecture"] = architecture.map(JSON.string)
      members["network"] = network.map { NetworkSummary($0.graph, $0.picture).json }
      members["graph"] = network?.graph.json
      members["contentHash"] = storedHash.map(JSON.string)
      return .object(members)
    }
  }
}
