@testable import AviaryGraph
import AviaryTestSupport
import Testing

/// Every operation: its JSON, its shapes, its parameters, the ranges of its attributes.
@Suite struct OperationTests {
  @Test func tableHasEveryOperation() {
    #expect(Set(OperationRow.all.map(\.op.name)) == Set(Op.names))
    #expect(Set(Op.names).count == Op.names.count)
  }

  @Test(arguments: OperationRow.all) func shape(_ row: OperationRow) throws {
    #expect(try row.op.outputShape(row.inputs) == row.output)
  }

  /// Attributes are written without those that have their default, and read back the same.
  @Test(arguments: OperationRow.all) func attributes(_ row: OperationRow) throws {
    #expect(JSON.object(row.op.attributes).text == row.json)
    let members = try JSON(parsing: row.json).object ?? [:]
    var attributes = Attributes(
      node: "n", operation: row.op.name, members: members, reserved: [])
    #expect(try Op(row.op.name, &attributes) == row.op)
    try attributes.finish()
    try row.op.checkAttributes(node: "n")
  }

  @Test(arguments: OperationRow.all) func graph(_ row: OperationRow) throws {
    let slots = row.op.slots(row.inputs)
    // What a node's parameters are called must not depend on shapes: reading relies on it.
    #expect(slots.map(\.suffix) == row.op.slotSuffixes)
    let graph = try row.graph()
    #expect(graph.parameters.map(\.shape) == slots.map(\.shape))
    #expect(try graph.shapes(for: row.images).last == row.output)
    let read = try Graph(json: JSON(parsing: graph.json.text))
    #expect(read == graph)
    #expect(read.json.text == graph.json.text)
    #expect(try Graph(json: JSON(parsing: graph.json.prettyText)) == graph)
  }

  @Test func parameters() {
    func slots(_ op: Op, _ inputs: [Int]...) -> [String] {
      op.slots(inputs).map { "\($0.suffix) \($0.shape) \($0.role.rawValue)" }
    }
    #expect(
      slots(.convolution(Convolution(outChannels: 8, kernel: Size(3, 5), groups: 2)), [1, 6, 9, 9])
        == ["weight [8, 3, 3, 5] weight", "bias [8] weight"])
    #expect(
      slots(
        .transposedConvolution(
          TransposedConvolution(outChannels: 8, kernel: Size(3, 5), groups: 2, bias: false)),
        [1, 6, 9, 9]) == ["weight [6, 4, 3, 5] weight"])
    #expect(
      slots(.linear(Linear(outFeatures: 7, bias: true)), [1, 6, 9, 5])
        == ["weight [7, 5] weight", "bias [7] weight"])
    #expect(
      slots(.batchNormalization(BatchNormalization()), [1, 6, 9, 9]) == [
        "weight [6] weight", "bias [6] weight", "running_mean [6] statistic",
        "running_var [6] statistic", "num_batches_tracked [] nonPersistent",
      ])
    #expect(
      slots(.batchNormalization(BatchNormalization(scale: false, center: true)), [1, 6, 9, 9]) == [
        "bias [6] weight", "running_mean [6] statistic", "running_var [6] statistic",
        "num_batches_tracked [] nonPersistent",
      ])
    #expect(slots(.prelu(PReLU(perChannel: true)), [1, 6, 9, 9]) == ["weight [6] weight"])
    #expect(slots(.prelu(PReLU(perChannel: false)), [1, 6, 9, 9]) == ["weight [1] weight"])
    #expect(
      slots(.layerNormalization(LayerNormalization(dimensions: 2, epsilon: 1e-5)), [1, 6, 9, 8])
        == ["weight [9, 8] weight", "bias [9, 8] weight"])
    #expect(slots(.binary(.add), [1, 6, 9, 8], [1, 6, 9, 8]).isEmpty)
  }

  @Test func shapesThatDoNotFit() {
    func problem(_ op: Op, _ inputs: [Int]...) -> String {
      do throws(ShapeProblem) { return "\(try op.outputShape(inputs))" } catch { return "\(error)" }
    }
    let convolution = Op.convolution(Convolution(outChannels: 4, kernel: 5, groups: 2))
    #expect(problem(convolution, [1, 2, 9]) == "expected an image (NCHW), found shape [1, 2, 9]")
    #expect(problem(convolution, [1, 3, 9, 9]) == "expected channels divisible by 2, found 3")
    #expect(
      problem(convolution, [1, 2, 4, 9])
        == "expected an input of at least 5 pixels a side, found [1, 2, 4, 9]")
    #expect(
      problem(
        .transposedConvolution(TransposedConvolution(outChannels: 1, kernel: 3, padding: 2)),
        [1, 1, 1, 9]) == "expected an input of at least what the padding leaves a pixel of, "
        + "found [1, 1, 1, 9]")
    // What importers take from a damaged file.
    #expect(problem(.binary(.add), [1, 2, 3, 4]) == "expected 2 inputs, found 1")
    #expect(
      problem(.binary(.add), [1, 2, 3, 4], [1, 2, 3, 5])
        == "inputs of shapes [1, 2, 3, 4] and [1, 2, 3, 5] do not fit together")
    #expect(
      problem(.binary(.add), [1, 2, 3], [1, 2, 3, 1])
        == "inputs of shapes [1, 2, 3] and [1, 2, 3, 1] do not fit together")
    #expect(
      problem(.concatenate(Concatenate()), [1, 2, 3, 4], [1, 9, 3, 5])
        == "inputs of shapes [1, 2, 3, 4] and [1, 9, 3, 5] do not fit together")
    #expect(problem(.scale(Scale([1, 2])), [1, 3, 4, 5]) == "expected 2 channels, found 3")
    #expect(
      problem(.slice(ChannelSlice(start: 3, count: 2)), [1, 4, 1, 1])
        == "expected at least 5 channels, found 4")
    #expect(
      problem(.pixelShuffle(PixelShuffle(factor: 2, order: .pytorch)), [1, 6, 3, 4])
        == "expected channels divisible by 4, found 6")
    #expect(
      problem(.pixelUnshuffle(PixelUnshuffle(factor: 2, order: .pytorch)), [1, 6, 3, 4])
        == "expected height divisible by 2, found 3")
    #expect(
      problem(.pixelUnshuffle(PixelUnshuffle(factor: 3, order: .pytorch)), [1, 6, 3, 4])
        == "expected width divisible by 3, found 4")
    #expect(
      problem(.pad(Pad(PaddingAmounts(0, 3, 0, 0), .reflect)), [1, 1, 9, 3])
        == "expected an input of at least 4 rows and columns to mirror, found [1, 1, 9, 3]")
    #expect(
      problem(.crop(Crop(PaddingAmounts(1, 0, 2, 0))), [1, 1, 3, 3])
        == "expected an input of at least 4x1, found [1, 1, 3, 3]")
    #expect(
      problem(.resize(Resize(.linear, to: .factor(Ratio(1, 3)))), [1, 1, 2, 9])
        == "expected an input of at least what the factor leaves a pixel of, found [1, 1, 2, 9]")
    #expect(
      problem(.reduce(Reduction(.sum, dimensions: [4])), [1, 2, 3, 4])
        == "expected dimensions [4], found shape [1, 2, 3, 4]")
    #expect(
      problem(.matmul, [1, 2, 3, 4], [1, 2, 3, 4])
        == "inputs of shapes [1, 2, 3, 4] and [1, 2, 3, 4] do not fit together")
    #expect(
      problem(.softmax(Softmax(dimension: 4)), [1, 2, 3, 4])
        == "expected at least 5 dimensions, found shape [1, 2, 3, 4]")
    #expect(
      problem(.layerNormalization(LayerNormalization(dimensions: 3, epsilon: 1)), [2, 3, 4])
        == "expected at least 4 dimensions, found shape [2, 3, 4]")
    #expect(
      problem(.reshape(Reshape([0, 7, -1])), [2, 3, 4])
        == "expected elements divisible by 14, found 24")
    #expect(
      problem(.reshape(Reshape([2, 3, 5])), [2, 3, 4])
        == "expected 30 elements for shape [2, 3, 5], found 24")
    #expect(
      problem(.reshape(Reshape([1, 1, 1, 0])), [24])
        == "expected at least 4 dimensions, found shape [24]")
    #expect(
      problem(.permute(Permute([0, 1])), [1, 2, 3])
        == "expected 2 dimensions, found shape [1, 2, 3]")
    #expect(
      problem(.roll(Roll(shifts: [1], dimensions: [3])), [1, 2, 3])
        == "expected dimensions [3], found shape [1, 2, 3]")
  }

  /// Sizes whose products overflow are an error, whatever the operation.
  @Test func shapesThatOverflow() {
    let huge = GraphLimits.dimension
    func problem(_ op: Op, _ inputs: [Int]...) -> String {
      do throws(ShapeProblem) { return "\(try op.outputShape(inputs))" } catch { return "\(error)" }
    }
    #expect(
      problem(.activation(.relu), [1, 1 << 20, huge, huge])
        == "shape [1, 1048576, 2147483647, 2147483647] has 2^48 elements or more")
    #expect(
      problem(
        .transposedConvolution(TransposedConvolution(outChannels: 1, kernel: 4096, stride: 4096)),
        [1, 1, huge, 1])
        == "shape [1, 1, 8796093018112, 4096] has 2^48 elements or more")
    #expect(
      problem(.resize(Resize(.nearest, to: .factor(Ratio(4096)))), [1, 1, huge, 1])
        == "shape [1, 1, 8796093018112, 4096] has 2^48 elements or more")
    #expect(
      problem(.pixelShuffle(PixelShuffle(factor: 64, order: .pytorch)), [1, 4096, huge, 1])
        == "shape [1, 1, 137438953408, 64] has 2^48 elements or more")
    #expect(
      problem(.reshape(Reshape([huge, huge, huge, huge])), [1, 1, 1, 1])
        == "shape [2147483647, 2147483647, 2147483647, "
        + "2147483647] has 2^48 elements or more")
    #expect(
      problem(.matmul, [1, 1, 1 << 30, 1], [1, 1, 1, 1 << 30])
        == "shape [1, 1, 1073741824, 1073741824] has 2^48 elements or more")
    #expect(
      problem(.concatenate(Concatenate()), [1, huge, 1, 1], [1, huge, 1, 1])
        == "shape [1, 4294967294, 1, 1] has 2^48 elements or more")
    #expect(
      problem(.pad(Pad(4096, .edge)), [1, 1, huge, huge])
        == "shape [1, 1, 2147491839, 2147491839] has 2^48 elements or more")
  }

  /// PyTorch's own rule for the size of a convolution's output, over a grid.
  @Test func convolutionSizesAsPyTorchStatesThem() throws {
    for size in [1, 2, 3, 7, 8, 19] {
      for kernel in 1...5 {
        for stride in 1...4 {
          for dilation in 1...3 {
            for padding in 0...3 {
              let reach = dilation * (kernel - 1) + 1
              let c = Convolution(
                outChannels: 1, kernel: Size(kernel), stride: Size(stride),
                dilation: Size(dilation),
                padding: .explicit(PaddingAmounts(padding)))
              let found = try? Op.convolution(c).outputShape([[1, 1, size, size]])
              let expected = size + 2 * padding - reach
              #expect(
                found
                  == (expected < 0 ? nil : [1, 1, expected / stride + 1, expected / stride + 1]))
              // TensorFlow's 'same'.
              var same = c
              same.padding = .same
              let rounded = (size + stride - 1) / stride
              #expect(
                try Op.convolution(same).outputShape([[1, 1, size, size]]) == [
                  1, 1, rounded, rounded,
                ])
            }
          }
        }
      }
    }
  }

  @Test func sameBordersAsTensorFlowStatesThem() {
    // tf.nn.conv2d: total = max((ceil(n / s) - 1) · s + reach - n, 0), the odd one at the end.
    func amounts(_ height: Int, _ width: Int, _ kernel: Int, _ stride: Int, dilation: Int = 1)
      -> PaddingAmounts
    {
      Padding.same.amounts(
        size: Size(height, width), kernel: Size(kernel), stride: Size(stride),
        dilation: Size(dilation))
    }
    #expect(amounts(8, 9, 3, 1) == PaddingAmounts(1))
    #expect(amounts(8, 9, 3, 2) == PaddingAmounts(0, 1, 1, 1))
    #expect(amounts(8, 9, 4, 1) == PaddingAmounts(1, 1, 2, 2))
    #expect(amounts(8, 9, 5, 3) == PaddingAmounts(1, 1, 2, 1))
    #expect(amounts(8, 9, 1, 2) == PaddingAmounts.none)
    #expect(amounts(8, 9, 2, 3) == PaddingAmounts(0, 0, 0, 0))
    #expect(amounts(1, 2, 7, 2) == PaddingAmounts(3, 2, 3, 3))
    #expect(amounts(8, 9, 3, 1, dilation: 3) == PaddingAmounts(3))
  }

  @Test func cropsAsFrameworksStateThem() {
    #expect(PaddingAmounts.pytorch(padding: 1, outputPadding: 1) == PaddingAmounts(1, 1, 0, 0))
    #expect(PaddingAmounts.pytorch(padding: 4) == PaddingAmounts(4))
    #expect(PaddingAmounts.pytorch(padding: 0, outputPadding: 1) == PaddingAmounts(0, 0, -1, -1))
    // Keras's 'same' at stride 2: a kernel of 3 loses its odd row at the end, 4 one on either side.
    #expect(PaddingAmounts.keras(kernel: 3, stride: 2) == PaddingAmounts(0, 0, 1, 1))
    #expect(PaddingAmounts.keras(kernel: 4, stride: 2) == PaddingAmounts(1))
    #expect(PaddingAmounts.keras(kernel: 9, stride: 3) == PaddingAmounts(3))
    #expect(PaddingAmounts.keras(kernel: 2, stride: 2) == PaddingAmounts.none)
    #expect(PaddingAmounts.keras(kernel: 1, stride: 2) == PaddingAmounts(0, 0, -1, -1))
  }
}
