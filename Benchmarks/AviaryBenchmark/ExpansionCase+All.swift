internal import AviaryGraph
internal import CBenchmarkLoops

extension ExpansionCase {
  /// What is held against loops.
  ///
  /// - Throws: `GraphError`, if a network here is none.
  static func all() throws -> [ExpansionCase] {
    [try gelu(), try parts(), try chain()] + (try normalizations())
  }

  private static let image = [1, 64, 256, 256]

  /// Operations whose elements depend on many others, without weights.
  private static func normalizations() throws -> [ExpansionCase] {
    let layer = LayerNormalization(first: 1, scale: false, center: false)
    let groups = GroupNormalization(groups: 8, scale: false, center: false)
    return unsafe [
      ExpansionCase(
        name: "layer normalisation over channels",
        graph: try Graph(channels: 64) { [$0.applying(layer.op)] }, shapes: [image],
        pieces: (64, 1_024), loop: benchmark_channel_normalization),
      ExpansionCase(
        name: "group normalisation",
        graph: try Graph(channels: 64) { [$0.applying(groups.op)] }, shapes: [image],
        pieces: (8, 8 * 65_536), loop: benchmark_group_normalization),
      ExpansionCase(
        name: "softmax over 64 elements",
        graph: try Graph(channels: 1_024) { [$0.applying(.softmax(Softmax(dimension: 3)))] },
        shapes: [[1, 1_024, 64, 64]], pieces: (1_024, 4_096), loop: benchmark_softmax),
    ]
  }

  /// GELU as one operation.
  private static func gelu() throws -> ExpansionCase {
    unsafe ExpansionCase(
      name: "GELU", graph: try Graph(channels: 64) { [$0.activation(.gelu(approximate: false))] },
      shapes: [image], pieces: (4_096, 1_024), loop: benchmark_gelu)
  }

  /// GELU as exporters write it, operation by operation.
  private static func parts() throws -> ExpansionCase {
    let graph = try Graph(channels: 64) { x in
      [x * 0.5 * ((x * 0.5.squareRoot()).activation(.erf) + 1)]
    }
    return unsafe ExpansionCase(
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
    return unsafe ExpansionCase(
      name: "chain of six", graph: graph, shapes: [image, [1, 64, 1, 1], image],
      pieces: (4_096, 1_024), loop: benchmark_chain)
  }
}
