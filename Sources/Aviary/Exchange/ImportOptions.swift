import AviaryCheckpoint
internal import AviaryContainers
internal import AviaryFiles
public import AviaryFormats
public import AviaryGraph

/// What the user states about imported weights.
public struct ImportOptions: Sendable {
  /// The architecture; nil to detect it, or to take the network described by the file.
  public var architecture: String?
  /// Members of the configuration.
  public var configuration: JSON
  /// Members of the image description, such as `colour`; others have their usual values.
  public var picture: JSON
  /// The scale that the weights were trained for, if neither names nor shapes show it.
  public var scale: Int?
  /// Whether `scale` is a statement about the network, which another scale of its own contradicts;
  /// else it is what is wanted of the result, and counts only where neither the file nor its name
  /// shows the network's.
  public var isScaleStated = true
  /// Whether missing parameters may be filled with zeros and tensors left unused.
  public var allowMissing: Bool
  /// How layers are renamed before detection; nil for no renaming.
  public var names: NameMap?
  /// The channel order before a pixel shuffle; nil for that of the file's framework.
  public var shuffleOrder: ChannelOrder?
  /// What the file itself does not say.
  public var reading: ReadingOptions
  /// Whether embedded metadata is believed only after all tensors have been read and hashed.
  public var verifiesRecord = true
  /// Whether the file's SHA-256 goes into the model card; the whole file is read for that.
  public var hashesFile = true

  /// Nothing is stated by default.
  public init(
    architecture: String? = nil, configuration: JSON = [:], picture: JSON = [:],
    scale: Int? = nil, allowMissing: Bool = false, names: NameMap? = nil,
    shuffleOrder: ChannelOrder? = nil, reading: ReadingOptions = ReadingOptions()
  ) {
    self.architecture = architecture
    self.configuration = configuration
    self.picture = picture
    self.scale = scale
    self.allowMissing = allowMissing
    self.names = names
    self.shuffleOrder = shuffleOrder
    self.reading = reading
  }
}

extension ImportOptions {
  /// Replaces the usual image description by what the user states.
  ///
  /// - Throws: `GraphError` for unknown members of the image description; `AviaryError.colour` or
  ///   `.scale` for statements that do not fit the network.
  package func apply(to network: inout Network) throws {
    let name = network.architecture.isEmpty ? "network" : network.architecture
    if let stated = picture.object, !stated.isEmpty {
      let members = (network.picture.json.object ?? [:]).merging(stated) { $1 }
      network.picture = try ImageSpec(json: .object(members))
      let channels = network.graph.inputs[0].channels
      guard network.picture.colour.channels == channels else {
        throw AviaryError.colour(
          model: name, channels: channels, found: network.picture.colour.rawValue)
      }
    }
    guard let scale else { return }
    if network.picture.enlargeFirst == .no {
      guard isScaleStated else { return }
      let own = network.graph.sizeRule().scale
      guard own == Ratio(max(scale, 1)) else {
        let expected = own.map {
          $0.denominator == 1 ? "\($0.numerator)" : "\($0.numerator)/\($0.denominator)"
        }
        throw AviaryError.scale(model: name, expected: expected ?? "none", found: "\(scale)")
      }
    } else {
      guard (1...64).contains(scale) else {
        throw AviaryError.scale(model: name, expected: "1 to 64", found: "\(scale)")
      }
      network.picture.scales = [scale]
    }
  }
}

extension NameMap {
  /// Reads rules from a file: `[["name in the file", "name in the network"], …]`; the first rule
  /// that matches a layer applies.
  ///
  /// - Throws: `CheckpointError.cannotRead`; `GraphError` if it is not a list of pairs of patterns.
  public init(contentsOf path: String) throws {
    let text: String
    do {
      let file = try InputFile(path)
      // Nobody writes a longer list of rules by hand.
      let bytes = try file.bytes(at: 0, count: min(file.byteCount, 1 << 24))
      text = String(decoding: bytes, as: UTF8.self)
    } catch {
      throw CheckpointError(error)
    }
    let json = try JSON(parsing: text)
    guard let pairs = json.array else {
      throw GraphError.member(path, expected: "an array of pairs of names", found: json.kind)
    }
    try self.init(path, pairs: pairs.map { $0.array?.compactMap(\.string) ?? [] })
  }
}
