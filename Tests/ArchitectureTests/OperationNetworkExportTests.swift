import AviaryFormats
import AviaryGraph
import AviaryTestSupport
import Testing

/// Networks of all operations of the table as ONNX and back; with `AVIARY_ONNX_FOLDER` they are left
/// for ONNX Runtime.
@Suite struct OperationNetworkExportTests {
  @Test(arguments: Extent.numbers(of: RandomOperations.count)) func onnx(_ seed: Int) throws {
    let network = try RandomOperations(seed: seed)
    let size = (network.inputShape[2], network.inputShape[3])
    do {
      try ONNXRoundTrip.check(network.graph, "operations.\(seed)", sizes: [size])
    } catch InterchangeError.target(_, let node, let why) {
      // What ONNX cannot say is refused by name.
      #expect(network.graph.nodes.contains { $0.name == node } && !why.isEmpty)
    }
  }
}
