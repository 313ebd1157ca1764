internal import AviaryCheckpoint
internal import AviaryFormats
package import AviaryGraph
package import AviaryTensor
internal import FoundationEssentials

/// One operation with inputs, weights and PyTorch's output, of Tests/Fixtures/operations.
package struct OperationFixture: CustomStringConvertible, Sendable {
  /// The folder and the case: `convolution/stride-2`.
  package let description: String
  /// A graph of one node.
  package let graph: Graph
  /// The node's parameters by name.
  package let weights: [String: Tensor]
  /// The inputs by name.
  package let inputs: [String: Tensor]
  /// What PyTorch gives for them.
  package let output: Tensor

  /// All cases, by folder.
  ///
  /// - Throws: what is wrong with a file.
  package static func all() throws -> [OperationFixture] {
    let folder = SharedFolder.repository.appending(path: "Tests/Fixtures/operations")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    return try names.filter { !$0.contains(".") }.flatMap { name in
      try cases(of: name, in: folder.appending(path: name))
    }
  }

  private static func cases(of operation: String, in folder: URL) throws -> [OperationFixture] {
    let text = try String(contentsOf: folder.appending(path: "cases.json"), encoding: .utf8)
    let tensors = try WeightsFile.read(folder.appending(path: "tensors.pt").path).tensors.loaded()
    return try (JSON(parsing: text).array ?? []).map { json in
      let name = json["name"]?.string ?? ""
      var mine: [String: Tensor] = [:]
      for (key, tensor) in tensors where key.hasPrefix(name + ".") {
        mine[String(key.dropFirst(name.count + 1))] = tensor
      }
      let graph = try Graph(json: json["graph"] ?? .null)
      guard let output = mine["output"] else {
        throw NaiveError(description: "\(operation)/\(name): no output")
      }
      let inputNames = Set(graph.inputs.map(\.name))
      return OperationFixture(
        description: "\(operation)/\(name)", graph: graph,
        weights: mine.filter { $0.key.hasPrefix("node.") },
        inputs: mine.filter { inputNames.contains($0.key) }, output: output)
    }
  }
}
