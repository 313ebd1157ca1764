import AviaryCheckpoint
import AviaryFormats
import AviaryGraph
import AviaryTensor
import Testing

/// Graphs as models of Keras's. That Keras computes what they should is for the real one to say
/// (Tests/Fixtures/export/check.py); here is how they are put.
@Suite struct KerasExportTests {
  private func graph(channels: Int = 3, _ build: (Value) -> [Value]) throws -> Graph {
    try Graph(channels: channels, build)
  }

  private func classes(_ model: KerasModel) -> [String] { model.layers.map(\.className) }

  // MARK: Borders

  @Test func aBorderThatIsSameNeedsNoLayer() throws {
    let graph = try graph {
      [
        $0.convolution("a", 4, kernel: 3)
          .convolution("b", 4, kernel: 4, padding: .explicit(PaddingAmounts(1, 1, 2, 2)))
          .convolution("c", 4, kernel: 3, dilation: 2)
      ]
    }
    let model = try KerasExport.model(graph)
    #expect(classes(model) == ["InputLayer", "Conv2D", "Conv2D", "Conv2D"])
    #expect(model.layers.dropFirst().allSatisfy { $0.configuration["padding"] == "same" })
  }

  @Test func anyOtherBorderIsALayer() throws {
    let model = try KerasExport.model(graph { [$0.convolution("a", 4, kernel: 3, stride: 2)] })
    #expect(classes(model) == ["InputLayer", "ZeroPadding2D", "Conv2D"])
    #expect(model.layers[1].name == "a.padding")
    #expect(model.layers[1].configuration["padding"] == [[1, 1], [1, 1]])
    #expect(model.layers[2].configuration["padding"] == "valid")
  }

  @Test func orZerosAboutTheKernel() throws {
    let graph = try graph { [$0.convolution("a", 4, kernel: 3, stride: 2)] }
    let model = try KerasExport.model(graph, borders: .kernels)
    #expect(classes(model) == ["InputLayer", "Conv2D"])
    #expect(model.layers[1].configuration["kernel_size"] == [4, 4])
    guard case .parameter(_, let steps) = model.layers[1].variables[0].content else {
      Issue.record("no parameter")
      return
    }
    #expect(steps == [.padded([0, 0, 1, 1]), .permuted([2, 3, 1, 0])])
  }

  // PyTorch's transposed convolutions as Keras's 'same' with a longer kernel: kernel, stride,
  // padding, output padding, and the zeros behind.
  @Test(arguments: [
    (3, 2, 1, 1, 1), (5, 2, 2, 1, 1), (9, 2, 4, 1, 1), (9, 3, 4, 2, 2), (9, 4, 4, 3, 3),
    (3, 1, 1, 0, 0), (2, 2, 0, 0, 0), (4, 2, 1, 0, 0), (6, 2, 2, 0, 0),
  ])
  func transposedKernels(
    kernel: Int, stride: Int, padding: Int, output: Int, zeros: Int
  ) throws {
    let padding = PaddingAmounts.pytorch(padding: padding, outputPadding: output)
    let graph = try graph {
      [
        $0.transposedConvolution(
          "a", 4, kernel: Size(kernel), stride: Size(stride), padding: padding)
      ]
    }
    let model = try KerasExport.model(graph, borders: .kernels)
    #expect(classes(model) == ["InputLayer", "Conv2DTranspose"])
    let size = JSON.int(kernel + zeros)
    #expect(model.layers[1].configuration["kernel_size"] == [size, size])
    #expect(model.layers[1].configuration["padding"] == "same")
    // Without longer kernels the odd row is cut by a layer.
    let plain = try KerasExport.model(graph)
    #expect(plain.layers.count == (zeros == 0 ? 2 : 3))
    if zeros > 0 { #expect(plain.layers[2].className == "Cropping2D") }
  }

  // MARK: Configuration

  @Test func configurationOfBothVersions() throws {
    let graph = try graph(channels: 1) { x in
      let y = x.convolution("a", 1, kernel: 1, bias: false).leakyRelu(0.25)
      return [y + x]
    }
    let model = try KerasExport.model(graph)
    #expect(
      model.configuration(name: "net", .keras2).text
        == #"{"class_name":"Functional","config":{"input_layers":["image",0,0],"layers":[{"class_name":"InputLayer","config":{"batch_input_shape":[null,null,null,1],"dtype":"float32","name":"image"},"inbound_nodes":[],"name":"image"},{"class_name":"Conv2D","config":{"dilation_rate":[1,1],"dtype":"float32","filters":1,"groups":1,"kernel_size":[1,1],"name":"a","padding":"valid","strides":[1,1],"trainable":true,"use_bias":false},"inbound_nodes":[[["image",0,0,{}]]],"name":"a"},{"class_name":"LeakyReLU","config":{"alpha":0.25,"dtype":"float32","name":"leakyRelu_1","trainable":true},"inbound_nodes":[[["a",0,0,{}]]],"name":"leakyRelu_1"},{"class_name":"Add","config":{"dtype":"float32","name":"add_1","trainable":true},"inbound_nodes":[[["leakyRelu_1",0,0,{}],["image",0,0,{}]]],"name":"add_1"}],"name":"net","output_layers":["add_1",0,0],"trainable":true}}"#
    )
    let keras3 = model.configuration(name: "net", .keras3)
    #expect(keras3["module"] == "keras.src.models.functional")
    let last = keras3["config"]?["layers"]?.array?.last
    #expect(
      last?["inbound_nodes"]?.text
        == #"[{"args":[[{"class_name":"__keras_tensor__","config":{"dtype":"float32","keras_history":["leakyRelu_1",0,0],"shape":[null,null,null,1]}},{"class_name":"__keras_tensor__","config":{"dtype":"float32","keras_history":["image",0,0],"shape":[null,null,null,1]}}]],"kwargs":{}}]"#
    )
    #expect(keras3["config"]?["layers"]?.array?[2]["config"]?["negative_slope"] == 0.25)
  }

  @Test func layersThatShareWeightsAreOneLayer() throws {
    let graph = try graph {
      let x = $0.convolution("a", 3, kernel: 3)
      return [x.relu().convolution("a", 3, kernel: 3, shared: true)]
    }
    let model = try KerasExport.model(graph)
    #expect(classes(model) == ["InputLayer", "Conv2D", "ReLU"])
    #expect(model.layers[1].calls.count == 2)
    #expect(model.outputs.map(\.call) == [1])
  }

  @Test func layersAreCountedInTheOrderOfALoadedModel() throws {
    // The branch that is farther from the output comes first, whatever was made first.
    let graph = try graph { x in
      let near = x.convolution("near", 3, kernel: 1)
      let far = x.convolution("far", 3, kernel: 1).relu().relu()
      return [near + far]
    }
    let model = try KerasExport.model(graph)
    let names = model.order.map { model.layers[$0].name }
    #expect(names == ["image", "far", "relu_1", "near", "relu_2", "add_1"])
    #expect(
      model.members == ["input_layer", "conv2d", "re_lu", "conv2d_1", "re_lu_1", "add"])
  }

  @Test(arguments: [
    ("Conv2DTranspose", "conv2d_transpose"), ("PReLU", "p_re_lu"), ("ReLU", "re_lu"),
    ("LeakyReLU", "leaky_re_lu"), ("UpSampling2D", "up_sampling2d"), ("ELU", "elu"),
    ("DepthwiseConv2D", "depthwise_conv2d"), ("BatchNormalization", "batch_normalization"),
    ("GlobalAveragePooling2D", "global_average_pooling2d"), ("ZeroPadding2D", "zero_padding2d"),
    ("InputLayer", "input_layer"), ("MaxPooling2D", "max_pooling2d"), ("Dense", "dense"),
  ])
  func snakeCase(_ name: String, _ expected: String) {
    #expect(KerasModel.snakeCase(name) == expected)
  }

  @Test func namesAreWhatKerasTakes() throws {
    let names = ["a/b", "a b", "-x", "ü", "encoder.0.conv", "A.B", "a.b"]
    let graph = try graph { x in
      [names.reduce(x) { $0.convolution($1, 3, kernel: 1) }]
    }
    let model = try KerasExport.model(graph)
    #expect(
      model.layers.dropFirst().map(\.name)
        == ["a_b", "a_b_1", "layer-x", "layer_", "encoder.0.conv", "A.B", "a.b_1"])
  }

  @Test func whatIsFrozenOrConstantIsNotTrained() throws {
    let node = Graph.Node(
      "a", .convolution(Convolution(outChannels: 4, kernel: 1, bias: false)), inputs: [0],
      parameters: ["a.weight"])
    let shuffle = Graph.Node(
      "b", .pixelShuffle(PixelShuffle(factor: 2, order: .pytorch)), inputs: [1])
    let graph = try Graph(
      inputs: [Graph.Input("x", channels: 1)], nodes: [node, shuffle],
      outputs: [Graph.Output("y", value: 2)], frozen: ["a.weight"])
    let model = try KerasExport.model(graph)
    #expect(model.layers.map(\.isTrainable) == [true, false, false])
    guard case .constant(let kernel) = model.layers[2].variables[0].content else {
      Issue.record("no constant")
      return
    }
    #expect(kernel.shape == [2, 2, 1, 4])
    #expect(kernel.floats == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  }

  // MARK: What Keras has not

  @Test func refusalsNameTheNodeAndTheReason() throws {
    let cases: [(Op, String)] = [
      (
        .resize(Resize(.cubic(a: -0.5), to: .factor(Ratio(2)))),
        "UpSampling2D computes nearest and linear interpolation at half-pixel coordinates alone as "
          + "the network does"
      ),
      (
        .resize(Resize(.nearest, to: .factor(Ratio(1, 2)))),
        "no stock layer resizes but by whole factors"
      ),
      (.pad(Pad(1, .reflect)), "no layer pads images by anything but zeros"),
      (.roll(Roll(shifts: [1], dimensions: [2])), "no stock layer moves elements round"),
      (.matmul, "no stock layer multiplies matrices as it does"),
      (
        .activation(.gelu(approximate: true)),
        "GELU by tanh is an argument that no configuration has"
      ),
      (.activation(.rsqrt), "no layer of Keras's computes rsqrt"),
      (.activation(.celu(alpha: -1)), "CELU with an alpha below 0"),
      (
        .activation(.softplus(beta: 1, threshold: 2)), "softplus that becomes a line at 2.0"
      ),
      (.binary(.divide), "no layer of Keras's computes divide"),
      (.where, "no layer of Keras's computes where"),
      (.softmax(Softmax(dimension: 0)), "no layer works across images"),
      (
        .maxPool(MaxPool(Pool(kernel: 3, stride: 2, padding: .explicit(2)))),
        "Keras pads a pooling window by half of it at most"
      ),
    ]
    for (op, why) in cases {
      let graph = try Graph(
        inputs: [Graph.Input("x", channels: 3)],
        nodes: [
          Graph.Node("node", op, inputs: [Int](repeating: 0, count: op.inputCount.lowerBound))
        ],
        outputs: [Graph.Output("y", value: 1)])
      let error = #expect(throws: InterchangeError.self) { try KerasExport.model(graph) }
      #expect(error?.description == "node: cannot be written as a Keras model: \(why)")
    }
  }
}
