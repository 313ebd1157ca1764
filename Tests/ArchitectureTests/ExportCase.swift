import AviaryCheckpoint
import AviaryFormats
import Aviary
import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials

/// A network with weights, inputs and what it gives for them: what every file that is written of it
/// must compute in the framework that loads it.
struct ExportCase {
  var name: String
  var graph: Graph
  var weights: [String: Tensor]
  var inputs: [String: Tensor]
  var outputs: [String: Tensor]

  init(
    _ name: String, _ graph: Graph, weights: [String: Tensor], inputs: [String: Tensor],
    outputs: [String: Tensor]? = nil
  ) throws {
    self.name = name
    self.graph = graph
    self.weights = weights
    self.inputs = inputs
    self.outputs = try outputs ?? naive(graph, weights: weights, inputs: inputs)
  }

  /// A network with random weights, for an image of this size.
  init(_ name: String, _ graph: Graph, height: Int, width: Int) throws {
    var inputs: [String: Tensor] = [:]
    for (position, input) in graph.inputs.enumerated() {
      inputs[input.name] = randomTensor(
        [2, input.channels, height, width], seed: UInt64(position + 7))
    }
    try self.init(
      name, graph, weights: randomWeights(for: graph, seed: 3), inputs: inputs)
  }

  /// Clamps with bounds on either side and of either sign, large ones, and none.
  static var clamps: ExportCase {
    get throws {
      let limit = Double(Float.greatestFiniteMagnitude)
      let bounds = [
        (-0.25, 0.5), (0.25, 0.5), (-0.5, -0.25), (-limit, 0.25), (0.25, limit), (-0.25, limit),
        (-limit, -0.25), (-1e8, 1e8), (-1000, 0.5), (0, 0.5), (-limit, 0), (-limit, limit),
      ]
      let graph = try Graph(channels: 3) { x in
        bounds.map { x.activation(.clamp(minimum: $0, maximum: $1)) }
      }
      return try ExportCase("clamps", graph, height: 6, width: 5)
    }
  }

  /// The weights in the graph's order.
  var source: TensorSource {
    TensorSource(
      NamedTensors(
        graph.parameters.compactMap { parameter in
          weights[parameter.name].map { (parameter.name, $0) }
        }))
  }

  /// Writes everything that can be written into a folder of the case's own: the files, what they
  /// take and give, and `case.json`, which says what is there and why something is not.
  func write(into folder: String) throws {
    let folder = "\(folder)/\(name)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let source = try source.completed(for: graph)
    let record = EmbeddedMetadata(architecture: name, graph: graph.json)
    try TorchZip.write(source, record: record.json.text, to: "\(folder)/weights.pt")
    try SafeTensorsFile.write(
      source, metadata: ["format": "pt"], to: "\(folder)/weights.safetensors")
    let module = try PyTorchModule.source(
      graph: graph, className: "Network", weightsFile: "weights.pt")
    try Data(module.utf8).write(to: URL(filePath: "\(folder)/network.py"))
    var members: [String: JSON] = [
      "inputs": .array(graph.inputs.map { .string($0.name) }),
      "outputs": .array(graph.outputs.map { .string($0.name) }),
    ]
    for borders in [KerasExport.Borders.layers, .kernels] {
      let suffix = borders == .layers ? "" : "-kernels"
      do throws(InterchangeError) {
        let model = try KerasExport.model(graph, borders: borders)
        try write(model, source, record, folder, suffix)
      } catch {
        // Only what Keras cannot express is no failure.
        guard case .target = error else { throw error }
        members["keras"] = .string(error.description)
      }
    }
    var example = NamedTensors()
    for (name, tensor) in inputs { example["input.\(name)"] = tensor }
    for (name, tensor) in outputs { example["output.\(name)"] = tensor }
    try TorchZip.write(TensorSource(example), record: nil, to: "\(folder)/example.pt")
    try Data(JSON.object(members).prettyText.utf8)
      .write(to: URL(filePath: "\(folder)/case.json"))
  }

  private func write(
    _ model: KerasModel, _ source: TensorSource, _ record: EmbeddedMetadata, _ folder: String,
    _ suffix: String
  ) throws(InterchangeError) {
    let files: [(KerasModel.File, String)] = [
      (.archive, "model\(suffix).keras"), (.weights, "model\(suffix).weights.h5"),
      (.legacy, "model\(suffix).h5"),
    ]
    for (file, name) in files {
      do {
        try model.write(
          file, name: "network", weights: source, record: record, to: "\(folder)/\(name)")
      } catch {
        throw .description(part: name, problem: "\(error)")
      }
    }
  }
}
