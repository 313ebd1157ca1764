internal import AviaryCheckpoint
internal import AviaryFormats
package import AviaryGraph
package import AviaryTensor
internal import FoundationEssentials

/// One operation with PyTorch's gradients, of Tests/Fixtures/gradients.
package struct GradientFixture: CustomStringConvertible, Sendable {
  /// The folder and the case: `convolution/stride-2`.
  package let description: String
  /// A graph of one node, or a few.
  package let graph: Graph
  /// The parameters by name.
  package let weights: [String: Tensor]
  /// The inputs by name.
  package let inputs: [String: Tensor]
  /// What PyTorch gives for them, where that is not by running statistics.
  package let output: Tensor?
  /// The derivatives of the loss by the output.
  package let cotangent: Tensor
  /// PyTorch's gradients by the inputs and parameters, by name.
  package let gradients: [String: Tensor]
  /// The running statistics after the step, by the parameters' names.
  package let statistics: [String: Tensor]

  /// All cases: those of Tests/Fixtures/operations, and those that matter for gradients alone.
  ///
  /// - Throws: what is wrong with a file.
  package static func all() throws -> [GradientFixture] {
    let folder = SharedFolder.repository.appending(path: "Tests/Fixtures/gradients")
    var tensors: [String: [String: Tensor]] = [:]
    // A file for each operation.
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    where name.hasSuffix(".pt") {
      let file = try WeightsFile.read(folder.appending(path: name).path).tensors.loaded()
      for (key, tensor) in file {
        guard let dot = key.firstIndex(of: ".") else { continue }
        tensors[String(key[..<dot]), default: [:]][String(key[key.index(after: dot)...])] = tensor
      }
    }
    let text = try String(contentsOf: folder.appending(path: "cases.json"), encoding: .utf8)
    let more = try (JSON(parsing: text).array ?? []).map { json in
      let name = json["name"]?.string ?? ""
      return try GradientFixture(
        name, Graph(json: json["graph"] ?? .null), tensors[name] ?? [:], tensors[name] ?? [:])
    }
    let known = try OperationFixture.all().compactMap { fixture -> GradientFixture? in
      // What an operation gives in inference is not always what it gives in training.
      guard let mine = tensors[fixture.description] else { return nil }
      var values = fixture.weights.merging(fixture.inputs) { $1 }
      values["output"] = fixture.output
      return try GradientFixture(fixture.description, fixture.graph, values, mine)
    }
    return known + more
  }

  /// The cases of Tests/Fixtures/attention: windows and attention, up to whole blocks of networks.
  ///
  /// - Throws: what is wrong with a file.
  package static func attention() throws -> [GradientFixture] {
    let folder = SharedFolder.repository.appending(path: "Tests/Fixtures/attention")
    let file = try WeightsFile.read(folder.appending(path: "tensors.pt").path).tensors.loaded()
    let text = try String(contentsOf: folder.appending(path: "cases.json"), encoding: .utf8)
    return try (JSON(parsing: text).array ?? []).map { json in
      let name = json["name"]?.string ?? ""
      var tensors: [String: Tensor] = [:]
      for (key, tensor) in file where key.hasPrefix(name + "/") {
        tensors[String(key.dropFirst(name.count + 1))] = tensor
      }
      return try GradientFixture(name, Graph(json: json["graph"] ?? .null), tensors, tensors)
    }
  }

  private init(
    _ name: String, _ graph: Graph, _ values: [String: Tensor], _ expected: [String: Tensor]
  ) throws {
    description = name
    self.graph = graph
    let parameters = Set(graph.parameters.map(\.name))
    weights = values.filter { parameters.contains($0.key) }
    let names = Set(graph.inputs.map(\.name))
    inputs = values.filter { names.contains($0.key) }
    func expectations(_ prefix: String) -> [String: Tensor] {
      var found: [String: Tensor] = [:]
      for (key, tensor) in expected where key.hasPrefix(prefix) {
        found[String(key.dropFirst(prefix.count))] = tensor
      }
      return found
    }
    gradients = expectations("gradient.")
    statistics = expectations("new.")
    guard let output = values["output"] else {
      throw NaiveError(description: "\(name): no output")
    }
    self.output = statistics.isEmpty ? output : nil
    cotangent = try GradientFixture.cotangent(output.shape)
  }

  /// The numbers from -1 to 1 that the fixtures' script takes, by the same formula.
  private static func cotangent(_ shape: [Int]) throws -> Tensor {
    try Tensor(
      shape: shape,
      (0..<shape.reduce(1, *)).map { i in
        let number = (UInt64(i) &* 2_654_435_761 &+ 12_345) % (1 << 32)
        return Float(Double(number >> 8) * 0x1p-23 - 1)
      })
  }
}
