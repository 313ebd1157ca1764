import AviaryCheckpoint
import AviaryFormats
import AviaryGraph
import AviaryTensor
import Testing

/// Configurations made by hand: old spellings, what cannot be computed, and what would do harm.
@Suite struct KerasConfigurationTests {
  /// The graph of a configuration, with tensors of zeros of these names and shapes.
  private func graph(
    _ configuration: String, _ shapes: KeyValuePairs<String, [Int]> = [:], version: String = "3.5"
  ) throws -> ImportedGraph {
    var tensors = NamedTensors()
    for (name, shape) in shapes { tensors[name] = try Tensor(zeros: shape) }
    let file = WeightsFile(
      path: "made.keras", format: .kerasArchive, tensors: TensorSource(tensors),
      origin: Origin(.keras, version: version), network: .keras(configuration))
    return try #require(try KerasGraph.graph(of: file))
  }

  /// A Sequential model of layers after an input of three channels.
  private func sequential(_ layers: String...) -> String {
    let input =
      #"{"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, null, null, 3]}}"#
    return #"{"class_name": "Sequential", "config": {"name": "s", "layers": ["#
      + ([input] + layers).joined(separator: ", ") + "]}}"
  }

  private func message(_ body: () throws -> ImportedGraph) -> String {
    do { return "a graph of \(try body().graph.nodes.count) nodes" } catch { return "\(error)" }
  }

  @Test func aFileOfWeightsAloneHoldsNoGraph() throws {
    let file = WeightsFile(
      path: "made.h5", format: .kerasHDF5, tensors: TensorSource(NamedTensors()),
      origin: Origin(.keras))
    #expect(try KerasGraph.graph(of: file) == nil)
  }

  @Test func kerasOneSpellsLayersInItsOwnWay() throws {
    let text = """
      {"class_name": "Sequential", "keras_version": "1.2.2", "config": [
        {"class_name": "Convolution2D", "config": {"name": "convolution2d_1", "nb_filter": 4,
          "nb_row": 3, "nb_col": 5, "subsample": [1, 1], "border_mode": "same", "dim_ordering": "th",
          "activation": "relu", "bias": true, "batch_input_shape": [null, 3, 32, 32]}},
        {"class_name": "UpSampling2D", "config": {"name": "up", "size": [2, 2], "dim_ordering": "th"}},
        {"class_name": "Deconvolution2D", "config": {"name": "deconvolution2d_1", "nb_filter": 3,
          "nb_row": 3, "nb_col": 3, "subsample": [1, 1], "border_mode": "same", "dim_ordering": "th",
          "activation": "linear"}}]}
      """
    let imported = try graph(
      text,
      [
        "convolution2d_1.weight": [4, 3, 3, 5], "convolution2d_1.bias": [4],
        "deconvolution2d_1.weight": [4, 3, 3, 3], "deconvolution2d_1.bias": [3],
      ], version: "1")
    #expect(
      imported.graph.nodes.map(\.name) == [
        "convolution2d_1", "convolution2d_1.activation", "up", "deconvolution2d_1",
      ])
    #expect(imported.graph.inputs == [Graph.Input("convolution2d_1_input", channels: 3)])
    #expect(imported.notes.contains { $0.contains("32x32 is let go") })
  }

  @Test func kerasOneMergesByMode() throws {
    let text = """
      {"class_name": "Model", "config": {"name": "m", "layers": [
        {"class_name": "InputLayer", "name": "x", "inbound_nodes": [],
          "config": {"name": "x", "batch_input_shape": [null, null, null, 3]}},
        {"class_name": "Merge", "name": "merge_1", "config": {"name": "merge_1", "mode": "ave"},
          "inbound_nodes": [[["x", 0, 0], ["x", 0, 0]]]}],
        "input_layers": [["x", 0, 0]], "output_layers": [["merge_1", 0, 0]]}}
      """
    let imported = try graph(text, version: "1.0")
    #expect(imported.graph.nodes.map(\.op) == [.binary(.add), .scale(Scale([0.5]))])
  }

  @Test func aLambdaCountsByItsNameAlone() throws {
    let named = sequential(
      #"{"class_name": "Lambda", "config": {"name": "up", "function": "depth_to_space", "arguments": {"block_size": 1}}}"#
    )
    #expect(
      try graph(named).graph.nodes.map(\.op) == [
        .pixelShuffle(PixelShuffle(factor: 1, order: .tensorflow))
      ])
    let code = sequential(
      #"{"class_name": "Lambda", "config": {"name": "up", "function": ["4wEAAA==", null, null]}}"#)
    #expect(
      message { try graph(code) }
        == "layer up of class Lambda (layer 2 of 2 of the model): a function of the user's own, which"
        + " is never run; known by name are depth_to_space and space_to_depth")
  }

  @Test(arguments: [
    (
      #"{"class_name": "LSTM", "config": {"name": "r"}}"#,
      "layer r of class LSTM (layer 2 of 2 of the model): no operation of ours computes it"
    ),
    (
      #"{"class_name": "Activation", "config": {"name": "a", "activation": "glu"}}"#,
      "layer a of class Activation (layer 2 of 2 of the model): activation 'glu' is not supported"
    ),
    (
      #"{"class_name": "ThresholdedReLU", "config": {"name": "t", "theta": 1.0}}"#,
      "layer t of class ThresholdedReLU (layer 2 of 2 of the model): threshold 1.0 is not supported, as no"
        + " operation of ours jumps"
    ),
    (
      #"{"class_name": "UpSampling2D", "config": {"name": "u", "size": [2, 2], "interpolation": "bicubic"}}"#,
      "layer u of class UpSampling2D (layer 2 of 2 of the model): bicubic interpolation at the edges is"
        + " Keras's own: it weighs pixels inside only"
    ),
    (
      #"{"class_name": "Flatten", "config": {"name": "f"}}"#,
      "layer f of class Flatten (layer 2 of 2 of the model): expected a stated size of the input, found none"
    ),
    (
      #"{"class_name": "Conv2D", "config": {"name": "c", "filters": 2, "kernel_size": [3, 3]}}"#,
      "layer c: expected weight, found none"
    ),
    (
      #"{"class_name": "Conv2D", "config": {"name": "c", "filters": 9e99, "kernel_size": 3}}"#,
      "layer c of class Conv2D (layer 2 of 2 of the model): filters: expected 1 to 1048576, found 9e+99"
    ),
    (
      #"{"class_name": "Conv2D", "config": {"name": "c", "filters": 2, "kernel_size": [0, -3]}}"#,
      "layer c of class Conv2D (layer 2 of 2 of the model): kernel_size: expected one or two numbers of 1 to"
        + " 4096, found [0,-3]"
    ),
    (
      #"{"class_name": "Reshape", "config": {"name": "r", "target_shape": [9223372036854775807, 4]}}"#,
      "layer r of class Reshape (layer 2 of 2 of the model): expected a stated size of the input, found none"
    ),
    (
      #"{"class_name": "PReLU", "config": {"name": "p"}}"#,
      "layer p of class PReLU (layer 2 of 2 of the model): a slope for each pixel is not supported; one a channel,"
        + " or one for all, is"
    ),
    (
      #"{"class_name": "ReLU", "config": {"name": "x"}}"#,
      "layer 2 of 2 of the model: a second layer is called x"
    ),
    (#"{"config": {}}"#, "layer 2 of 2 of the model: expected a class_name, found none"),
  ])
  func aLayerThatCannotBeIsNamed(_ layer: String, _ expected: String) {
    #expect(message { try graph(sequential(layer)) } == expected)
  }

  /// A Functional model of layers that do nothing, each calling another.
  private func functional(_ calls: [(String, String)], output: String) -> String {
    let layers = calls.map { name, from in
      """
      {"class_name": "Identity", "name": "\(name)", "config": {"name": "\(name)"},
       "inbound_nodes": [[["\(from)", 0, 0, {}]]]}
      """
    }
    let input =
      #"{"class_name": "InputLayer", "name": "x", "inbound_nodes": [], "config": {"name": "x", "batch_shape": [null, null, null, 3]}}"#
    return #"{"class_name": "Functional", "config": {"name": "f", "layers": ["#
      + ([input] + layers).joined(separator: ", ")
      + #"], "input_layers": [["x", 0, 0]], "output_layers": [["\#(output)", 0, 0]]}}"#
  }

  @Test func layersMayStandInAnyOrder() throws {
    let imported = try graph(functional([("b", "a"), ("a", "x")], output: "b"))
    #expect(imported.graph.outputs == [Graph.Output("output", value: 0)])
  }

  @Test func cyclesAndMissingLayersAreErrors() {
    #expect(
      message { try graph(functional([("a", "b"), ("b", "a")], output: "a")) }
        == "f: layer a takes its own result")
    #expect(
      message { try graph(functional([("a", "nobody")], output: "a")) }
        == "f: expected layer nobody, found none")
    #expect(
      message { try graph(functional([("a", "x")], output: "b")) }
        == "f: expected layer b, found none")
  }

  @Test func aLongRowOfLayersIsNoRecursion() throws {
    let calls = (0..<9_000).map { ("l\($0)", $0 == 0 ? "x" : "l\($0 - 1)") }
    _ = try graph(functional(Array(calls.reversed()), output: "l8999"))
  }

  /// Each model calls the one inside twice: 2^40 calls of a file of a few kilobytes.
  @Test func modelsInModelsDoNotGrowWithoutBound() {
    var inner =
      #"{"class_name": "Identity", "name": "i", "config": {"name": "i"}, "inbound_nodes": [[["x", 0, 0, {}]], [["i", 0, 0, {}]]]}"#
    var output = #"["i", 1, 0]"#
    for depth in 0..<18 {
      let name = "m\(depth)"
      inner = """
        {"class_name": "Functional", "name": "\(name)", "config": {"name": "\(name)", "layers": [
         {"class_name": "InputLayer", "name": "x", "inbound_nodes": [],
          "config": {"name": "x", "batch_shape": [null, null, null, 3]}}, \(inner)],
         "input_layers": [["x", 0, 0]], "output_layers": [\(output)]},
         "inbound_nodes": [[["x", 0, 0, {}]], [["\(name)", 0, 0, {}]]]}
        """
      output = #"["\#(name)", 1, 0]"#
    }
    let text = message { try graph(inner) }
    #expect(
      text.hasPrefix("calls of layers: ") && text.hasSuffix(" exceeds the limit of 20000"),
      "\(text)")
  }

  @Test func textThatIsNoConfigurationIsAnError() {
    #expect(
      message { try graph("[]") } == "the model's configuration: expected a class_name, found none")
    #expect(
      message { try graph(#"{"class_name": "Mine", "config": {"name": "m"}}"#) }
        == "layer m of class Mine (the model itself): is not a Sequential or Functional"
        + " model; the code of a class of its own is never run")
    #expect(
      message { try graph("{") }.hasPrefix("the model's configuration: invalid JSON: line 1"))
  }
}
