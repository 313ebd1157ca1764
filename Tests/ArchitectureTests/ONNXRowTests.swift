import AviaryFormats
import AviaryGraph
import AviaryTestSupport
import Testing

/// Every row of the table of operations as ONNX and back: what is written is read again, as the same
/// function.
@Suite struct ONNXRowTests {
  /// Of the size that the file states.
  @Test(arguments: OperationRow.all.indices) func ofOneSize(_ number: Int) throws {
    let row = OperationRow.all[number]
    try check(row, try row.graph())
  }

  /// Of any size, where nothing but images is taken and the weights are the same for all.
  @Test(arguments: OperationRow.all.indices) func ofAnySize(_ number: Int) throws {
    let row = OperationRow.all[number]
    guard row.inputs.allSatisfy({ $0.count == 4 }) else { return }
    let sized = try row.graph()
    guard
      let graph = try? Graph(
        inputs: sized.inputs.map { Graph.Input($0.name, channels: $0.channels) },
        nodes: sized.nodes, outputs: sized.outputs), graph.parameters == sized.parameters
    else { return }
    do {
      try check(row, graph)
    } catch InterchangeError.description("the graph's inputs", _) {
      // Two images of which one has a single pixel: how large they are is no relation that is read.
      #expect(row.op.name == "expand")
    }
  }

  private func check(_ row: OperationRow, _ graph: Graph) throws {
    do {
      try ONNXRoundTrip.check(graph, "row", shapes: [row.images], values: row.values)
    } catch InterchangeError.target(_, _, let why) {
      // What ONNX cannot say is refused.
      #expect(!why.isEmpty)
    } catch InterchangeError.description(let part, let problem)
      where part != "the graph's inputs"
    {
      #expect(
        row.inputs.isEmpty && part.hasPrefix("output")
          && problem == "it does not depend on the image")
    }
  }
}
