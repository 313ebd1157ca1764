internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryFormats
internal import AviaryGraph
internal import AviaryTestSupport
internal import FoundationEssentials

/// A line of the table of operations: what the rows of one kind of operation show when they are
/// tried.
struct OperationSummary {
  private let names: [String]
  private let rows: [OperationRow]
  private let graphs: [Graph]
  private let read: ReadNames

  /// - Parameters:
  ///   - names: those of the operation.
  ///   - rows: its examples; nil comes out where there are none.
  /// - Throws: `GraphError`, if an example is no network.
  init?(_ names: [String], _ rows: [OperationRow]) throws {
    guard let first = rows.first else { return nil }
    (self.names, self.rows) = (names, rows)
    graphs = try rows.map { try $0.graph() }
    read = ReadNames(of: first.op.operation)
  }

  /// The table's cells.
  var cells: [String] {
    [
      names.map { "`\($0)`" }.joined(separator: ", "), files,
      rows.contains { $0.op.expansion != nil } ? "expansion" : "kernel", sight,
      cell(read.onnx, tried(onnx)), cell(read.keras, tried(keras)), cell([], tried(pytorch)),
      read.ncnn.isEmpty ? "–" : "read: \(list(read.ncnn))", cell([], tried(gradient)),
    ]
  }

  // MARK: What is tried

  /// How many examples do what `body` tries, and why others do not.
  private func tried(_ body: (Graph) throws -> Void) -> (works: Int, problems: [String]) {
    var (works, problems): (Int, [String]) = (0, [])
    for graph in graphs {
      do {
        try body(graph)
        works += 1
      } catch GraphError.shape(let node, _, _) where node.hasPrefix(OperationRow.shapedPrefix) {
        // The example's own, of one image: it says nothing of the operation.
        continue
      } catch InterchangeError.graph(.shape(let node, _, _))
        where node.hasPrefix(OperationRow.shapedPrefix)
      {
        continue
      } catch let error as InterchangeError {
        problems.append(OperationSummary.reason(error))
      } catch {
        problems.append("\(error)")
      }
    }
    var seen: Set<String> = []
    return (works, problems.filter { seen.insert($0).inserted })
  }

  /// Without the node's name, which is that of an example.
  private static func reason(_ error: InterchangeError) -> String {
    if case .target(_, _, let why) = error { why } else { "\(error)" }
  }

  /// Written, and read back.
  private func onnx(_ graph: Graph) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.onnx")
    let weights = randomWeights(for: graph, seed: 1)
    let tensors = graph.parameters.compactMap { parameter in
      weights[parameter.name].map { (parameter.name, $0) }
    }
    try ONNXExport.write(graph: graph, weights: TensorSource(NamedTensors(tensors)), to: path)
    // What has no input is a constant by itself, and no network.
    if rows.first?.inputs.isEmpty == true { return }
    do {
      _ = try ONNXNetwork.graph(WeightsFile.read(path))
    } catch {
      throw InterchangeError.target(
        format: "ONNX", node: "", why: "written, and not read back: \(error)")
    }
  }

  private func keras(_ graph: Graph) throws { _ = try KerasExport.model(graph) }

  private func pytorch(_ graph: Graph) throws {
    _ = try PyTorchModule.source(graph: graph, className: "Network", weightsFile: "weights.pt")
  }

  private func gradient(_ graph: Graph) throws {
    let row = rows[graphs.firstIndex(of: graph) ?? 0]
    _ = try TrainingPlan(
      graph, inputShapes: row.images, gradientsOf: [.parameters, .inputs], engine: Engine())
  }

  // MARK: Cells

  private func list(_ names: [String]) -> String {
    names.map { "`\($0)`" }.joined(separator: ", ")
  }

  private func cell(_ read: [String], _ tried: (works: Int, problems: [String])) -> String {
    let reasons = tried.problems.map { $0.replacing("|", with: "\\|") }.joined(separator: "; ")
    let written =
      tried.problems.isEmpty ? "yes" : tried.works == 0 ? "no: \(reasons)" : "in part: \(reasons)"
    return read.isEmpty ? written : "\(written); read: \(list(read))"
  }

  /// What an output pixel depends on, of all examples.
  private var sight: String {
    var words: [String] = []
    for row in rows {
      for axis in Axis.allCases {
        let word =
          switch row.op.operation.receptiveField(axis) {
          case .pointwise: "its pixel"
          case .window: "a window"
          case .constant: "no pixel"
          case .whole(let reason, _): "the whole image (\(reason))"
          case .expansion: "what it is made of sees"
          }
        if !words.contains(word) { words.append(word) }
      }
    }
    return words.joined(separator: " or ")
  }

  /// The operation's files, one a layer, as links from the documents.
  private var files: String {
    let type = "\(Swift.type(of: rows[0].op.operation))"
    let protocols = [
      "Operation", "Expansion", "ConstantOperation", "Shuffle", "KernelOperation",
      "GatheringOperation", "ExchangedOperation", "WeightedOperation", "ExchangedConstants",
    ]
    let layers = [
      ("graph", "AviaryGraph/Operations"), ("engine", "AviaryCompute/Operations"),
      ("formats", "Formats/Operations"),
    ]
    return layers.compactMap { word, folder in
      let sources = OperationSummary.sources(folder)
      // Where the type is made an operation of the layer; else the file of its name, or the pass that
      // knows it.
      let source =
        sources.first { source in
          protocols.contains { source.text.contains("extension \(type): \($0)") }
        } ?? sources.first { $0.path.hasSuffix("/\(type).swift") }
        ?? (word == "engine" && rows[0].op.expansion == nil
          ? OperationSummary.sources("AviaryCompute/Passes").first {
            $0.text.contains("case .\(names[0])(let ")
          } : nil)
      return source.map { "[\(word)](../\($0.path))" }
    }.joined(separator: " ")
  }

  private static func sources(_ layer: String) -> [(path: String, text: String)] {
    let folder = "Sources/\(layer)"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().compactMap { name in
      let path = "\(folder)/\(name)"
      return (try? String(contentsOfFile: path, encoding: .utf8)).map { (path, $0) }
    }
  }
}
