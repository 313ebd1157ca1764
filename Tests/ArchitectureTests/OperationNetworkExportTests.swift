import AviaryFormats
import AviaryGraph
import AviaryTestSupport
import Testing

/// Networks of all operations of the table as ONNX and back; with `AVIARY_ONNX_FOLDER` they are left
/// for ONNX Runtime.
@Suite struct OperationNetworkExportTests {
  /// Operations after which another program's rounding may be another result: what jumps, where a value
  /// lies at the step, and ONNX Runtime's Fourier transform, which sums in float32 one after the other.
  /// Each is held against ONNX Runtime by itself.
  private static let notForRuntime: Set = [
    "equal", "less", "lessOrEqual", "greater", "greaterOrEqual", "floor", "sign", "argmax",
    "argmin",
    "sort", "topK", "rfft2", "irfft2",
  ]

  @Test(arguments: 0..<RandomOperations.count) func onnx(_ seed: Int) throws {
    let network = try RandomOperations(seed: seed)
    let inputs = Dictionary(
      uniqueKeysWithValues: zip(network.graph.inputs, network.inputShapes).enumerated().map {
        ($1.0.name, randomTensor($1.1, seed: UInt64($0)))
      })
    let noise = try network.sensitivity(
      weights: randomWeights(for: network.graph, seed: 5), inputs: inputs)
    // What is mostly rounding tells nothing of two ways to write it.
    guard noise <= 1e-6 else { return }
    do {
      try ONNXRoundTrip.check(
        network.graph, "operations.\(seed)", shapes: [network.inputShapes],
        isKept: !network.rows.contains { Self.notForRuntime.contains($0.op.name) })
    } catch InterchangeError.target(_, let node, let why) {
      // What ONNX cannot say is refused by name.
      #expect(network.graph.nodes.contains { $0.name == node } && !why.isEmpty)
    } catch InterchangeError.description(let part, let problem) {
      // An output of constants alone.
      #expect(part.hasPrefix("output") && problem == "it does not depend on the image")
    } catch InterchangeError.layer(_, "Pad", _, let why) {
      // Of the few sizes that such a network runs at, several multiples may ask for the same padding.
      #expect(why.hasPrefix("expected padding to one multiple of pixels"))
    } catch InterchangeError.layer(_, "MatMul", _, let why) {
      // An image times itself must be square: one sample, which does not show what else the
      // network pads or divides.
      #expect(why.hasPrefix("the network runs at none of the sizes that were tried"))
      #expect(network.rows.contains { $0.op == .matmul })
    } catch InterchangeError.layer(_, "Concat", _, let why) {
      // A part of the batch beside all of it: of one image alone.
      #expect(why.hasSuffix("do not fit together"))
      #expect(network.rows.contains { $0.op.name == "stridedSlice" })
    }
  }
}
