internal import AviaryGraph
internal import CBenchmarkLoops

extension ExpansionCase {
  /// What is held against loops.
  ///
  /// - Throws: `GraphError`, if a network here is none.
  static func all() throws -> [ExpansionCase] {
    [try gelu(), try parts(), try chain()]
  }

  private static let image = [1, 64, 256, 256]

  /// GELU as one operation.
  private static func gelu() throws -> ExpansionCase {
    ExpansionCase(
      name: "GELU", graph: try Graph(channels: 64) { [$0.activation(.gelu(approximate: false))] },
      shapes: [image], pieces: (4_096, 1_024), loop: benchmark_gelu)
  }

  /// GELU as exporters write it, operation by operation.
  private static func parts() throws -> ExpansionCase {
    let graph = try Graph(channels: 64) { x in
      [x * 0.5 * ((x * 0.5.squareRoot()).activation(.erf) + 1)]
    }
    return ExpansionCase(
      name: "GELU of five operations", graph: graph, shapes: [image], pieces: (4_096, 1_024),
      loop: benchmark_gelu)
  }

  /// Six operations, with an operand that repeats.
  private static func chain() throws -> ExpansionCase {
    let graph = try Graph(
      inputs: ["x", "gate", "other"].map { Graph.Input($0, channels: 64) },
      nodes: [
        Graph.Node("scale", .scale(Scale([0.7])), inputs: [0]),
        Graph.Node("offset", .offset(Offset([0.1])), inputs: [3]),
        Graph.Node("leaky", .activation(.leakyRelu(slope: 0.2)), inputs: [4]),
        Graph.Node("gated", .binary(.multiply), inputs: [5, 1]),
        Graph.Node("sum", .binary(.add), inputs: [6, 2]),
        Graph.Node("clamp", .activation(.clamp(minimum: -1, maximum: 1)), inputs: [7]),
      ], outputs: [Graph.Output("y", value: 8)])
    return ExpansionCase(
      name: "chain of six", graph: graph, shapes: [image, [1, 64, 1, 1], image],
      pieces: (4_096, 1_024), loop: benchmark_chain)
  }
}
