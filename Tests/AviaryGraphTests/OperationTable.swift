@testable import AviaryGraph

/// Every operation, with its attributes in JSON and what it makes of shapes: what the tests of
/// reading, writing and shapes go through.
struct OperationRow: Sendable, CustomStringConvertible {
  var op: Op
  /// The attributes, as they are written: defaults left out.
  var json: String
  var inputs: [[Int]]
  var output: [Int]

  var description: String { "\(op.name) \(json) of \(inputs)" }

  init(_ op: Op, _ json: String, _ inputs: [Int]..., gives output: [Int]) {
    (self.op, self.json, self.inputs, self.output) = (op, json, inputs, output)
  }

  static let all =
    convolutions + transposedConvolutions + windows + activations + arithmetic + channels + sizes
    + matrices

  private static let convolutions: [OperationRow] = [
    .init(
      .convolution(Convolution(outChannels: 8, kernel: 3)), #"{"kernel":3,"outChannels":8}"#,
      [2, 3, 7, 9], gives: [2, 8, 5, 7]),
    .init(
      .convolution(Convolution(outChannels: 8, kernel: 3, padding: .same)),
      #"{"kernel":3,"outChannels":8,"padding":"same"}"#, [1, 3, 7, 9], gives: [1, 8, 7, 9]),
    // TensorFlow's rule at stride 2: sizes are rounded up.
    .init(
      .convolution(Convolution(outChannels: 8, kernel: 3, stride: 2, padding: .same)),
      #"{"kernel":3,"outChannels":8,"padding":"same","#
        + #""stride":2}"#, [1, 3, 7, 10], gives: [1, 8, 4, 5]),
    // PyTorch: floor((size + 2 · padding - dilation · (kernel - 1) - 1) / stride) + 1.
    .init(
      .convolution(
        Convolution(
          outChannels: 6, kernel: Size(3, 5), stride: Size(2, 1), dilation: Size(2, 3), groups: 3,
          padding: .explicit(PaddingAmounts(1)), bias: false)),
      #"{"bias":false,"dilation":[2,3],"groups":3,"kernel":[3,5],"outChannels":6,"#
        + #""padding":1,"stride":[2,1]}"#, [1, 9, 12, 14], gives: [1, 6, 5, 4]),
    .init(
      .convolution(
        Convolution(outChannels: 4, kernel: 2, padding: .explicit(PaddingAmounts(0, 1, 2, 3)))),
      #"{"kernel":2,"outChannels":4,"padding":[0,1,2,3]}"#, [1, 1, 5, 6], gives: [1, 4, 6, 9]),
    // A kernel smaller than the stride.
    .init(
      .convolution(Convolution(outChannels: 4, kernel: 1, stride: 3, padding: .same)),
      #"{"kernel":1,"outChannels":4,"padding":"same","#
        + #""stride":3}"#, [1, 1, 7, 9], gives: [1, 4, 3, 3]),
  ]

  private static let transposedConvolutions: [OperationRow] = [
    .init(
      .transposedConvolution(TransposedConvolution(outChannels: 3, kernel: 4)),
      #"{"kernel":4,"outChannels":3}"#, [1, 8, 5, 6], gives: [1, 3, 8, 9]),
    // PyTorch: (size - 1) · stride - 2 · padding + kernel + output padding; 3, 2, 1, 1 doubles.
    .init(
      .transposedConvolution(
        TransposedConvolution(
          outChannels: 3, kernel: 3, stride: 2, padding: .pytorch(padding: 1, outputPadding: 1))),
      #"{"kernel":3,"outChannels":3,"padding":[1,1,0,0],"stride":2}"#, [1, 8, 5, 6],
      gives: [1, 3, 10, 12]
    ),
    .init(
      .transposedConvolution(
        TransposedConvolution(
          outChannels: 4, kernel: Size(9, 5), stride: Size(3, 2), groups: 2,
          padding: PaddingAmounts(4, 2, 2, 1),
          bias: false)),
      #"{"bias":false,"groups":2,"kernel":[9,5],"outChannels":4,"padding":[4,2,2,"#
        + #"1],"stride":[3,2]}"#,
      [1, 2, 5, 6], gives: [1, 4, 15, 12]),
    .init(
      .transposedConvolution(
        TransposedConvolution(
          outChannels: 3, kernel: 2, stride: 4, padding: .keras(kernel: 2, stride: 4))),
      #"{"kernel":2,"outChannels":3,"padding":[0,0,-2,-2],"stride":4}"#, [1, 8, 5, 6],
      gives: [1, 3, 20, 24]),
  ]

  private static let windows: [OperationRow] = [
    .init(
      .maxPool(MaxPool(Pool(kernel: 2))), #"{"kernel":2}"#, [1, 3, 7, 8], gives: [1, 3, 3, 4]),
    .init(
      .maxPool(MaxPool(Pool(kernel: 3, stride: 2, padding: .explicit(1)))),
      #"{"kernel":3,"padding":1,"stride":2}"#, [1, 3, 7, 8], gives: [1, 3, 4, 4]),
    .init(
      .maxPool(MaxPool(Pool(kernel: Size(2, 3), stride: Size(1, 2), padding: .same))),
      #"{"kernel":[2,3],"padding":"same","stride":[1,2]}"#, [1, 3, 7, 9], gives: [1, 3, 7, 5]),
    .init(
      .averagePool(AveragePool(Pool(kernel: Size(2, 3)), countsPadding: true)),
      #"{"countsPadding":true,"kernel":[2,3]}"#, [1, 3, 7, 9], gives: [1, 3, 3, 3]),
    .init(
      .averagePool(AveragePool(Pool(kernel: 3, stride: 1, padding: .same), countsPadding: false)),
      #"{"countsPadding":false,"kernel":3,"padding":"same","stride":1}"#, [1, 3, 7, 9],
      gives: [1, 3, 7, 9]),
    .init(.globalAveragePool, "{}", [2, 3, 7, 9], gives: [2, 3, 1, 1]),
  ]

  private static let activations: [OperationRow] = [
    .init(.activation(.relu), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .activation(.leakyRelu(slope: 0.05)), #"{"slope":0.05}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.elu(alpha: 1)), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.elu(alpha: 0.5)), #"{"alpha":0.5}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.gelu(approximate: false)), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .activation(.gelu(approximate: true)), #"{"approximate":true}"#, [1, 3, 4, 5],
      gives: [1, 3, 4, 5]),
    .init(.activation(.silu), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.sigmoid), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.activation(.tanh), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .activation(.clamp(minimum: -1, maximum: 2.5)), #"{"maximum":2.5,"minimum":-1}"#,
      [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .prelu(PReLU(perChannel: true)), #"{"perChannel":true}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .prelu(PReLU(perChannel: false)),
      #"{"perChannel":false}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
  ]

  private static let arithmetic: [OperationRow] = [
    .init(.binary(.add), "{}", [2, 3, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.add), "{}", [2, 3, 4, 5], [1, 3, 1, 1], gives: [2, 3, 4, 5]),
    .init(.binary(.subtract), "{}", [2, 1, 4, 5], [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(.binary(.multiply), "{}", [2, 3, 1, 1], [2, 1, 4, 5], gives: [2, 3, 4, 5]),
    .init(.scale(Scale([255])), #"{"values":255}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .scale(Scale([1, 0.5, -2])), #"{"values":[1,0.5,-2]}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.offset(Offset([-0.5])), #"{"values":-0.5}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(.offset(Offset([1, 2, 3])), #"{"values":[1,2,3]}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .batchNormalization(BatchNormalization()), "{}", [1, 3, 4, 5], gives: [1, 3, 4, 5]),
    .init(
      .batchNormalization(
        BatchNormalization(epsilon: 1e-3, momentum: 0.01, scale: false, center: false)),
      #"{"center":false,"epsilon":0.001,"momentum":0.01,"scale":false}"#, [1, 3, 4, 5],
      gives: [1, 3, 4, 5]),
    .init(.dropout(Dropout(rate: 0.25)), #"{"rate":0.25}"#, [1, 3, 4, 5], gives: [1, 3, 4, 5]),
  ]

  private static let channels: [OperationRow] = [
    .init(
      .concatenate, "{}", [2, 3, 4, 5], [2, 1, 4, 5], [2, 8, 4, 5], gives: [2, 12, 4, 5]),
    .init(.concatenate, "{}", [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .slice(ChannelSlice(start: 2, count: 3)), #"{"count":3,"start":2}"#, [1, 5, 4, 6],
      gives: [1, 3, 4, 6]),
    .init(
      .pixelShuffle(PixelShuffle(factor: 3, order: .pytorch)), #"{"factor":3}"#, [1, 18, 4, 5],
      gives: [1, 2, 12, 15]),
    .init(
      .pixelShuffle(PixelShuffle(factor: 2, order: .tensorflow)),
      #"{"factor":2,"order":"tensorflow"}"#,
      [1, 8, 4, 5], gives: [1, 2, 8, 10]),
    .init(
      .pixelUnshuffle(PixelUnshuffle(factor: 2, order: .pytorch)), #"{"factor":2}"#, [1, 3, 4, 6],
      gives: [1, 12, 2, 3]),
    .init(
      .pixelUnshuffle(PixelUnshuffle(factor: 3, order: .tensorflow)),
      #"{"factor":3,"order":"tensorflow"}"#,
      [1, 1, 6, 9], gives: [1, 9, 2, 3]),
  ]

  private static let sizes: [OperationRow] = [
    .init(
      .resize(Resize(.nearest, to: .factor(Ratio(2)))), #"{"factor":2,"kernel":"nearest"}"#,
      [1, 3, 4, 5], gives: [1, 3, 8, 10]),
    // Sizes are rounded down.
    .init(
      .resize(
        Resize(
          .cubic(a: -0.75), to: .factor(Ratio(3, 2)), coordinates: .alignCorners, edge: .symmetric,
          antialias: true)),
      #"{"a":-0.75,"antialias":true,"coordinates":"align-corners","#
        + #""edge":"symmetric","factor":[3,2],"kernel":"cubic"}"#, [1, 3, 5, 6],
      gives: [1, 3, 7, 9]),
    .init(
      .resize(Resize(.lanczos(lobes: 3), to: .factor(Ratio(1, 2)))),
      #"{"factor":[1,2],"kernel":"lanczos","lobes":3}"#, [1, 3, 5, 6], gives: [1, 3, 2, 3]),
    .init(
      .resize(Resize(.linear, to: .sizeOfSecondInput, coordinates: .asymmetric)),
      #"{"coordinates":"asymmetric","kernel":"linear"}"#, [2, 3, 5, 6], [2, 9, 11, 4],
      gives: [2, 3, 11, 4]),
    .init(.pad(Pad(2, .zero)), #"{"padding":2}"#, [1, 3, 4, 5], gives: [1, 3, 8, 9]),
    .init(
      .pad(Pad(PaddingAmounts(1, 2, 3, 4), .reflect)), #"{"mode":"reflect","padding":[1,2,3,4]}"#,
      [1, 3, 4, 5],
      gives: [1, 3, 8, 11]),
    .init(
      .pad(Pad(PaddingAmounts(0, 9, 0, 0), .edge)), #"{"mode":"edge","padding":[0,9,0,0]}"#,
      [1, 3, 4, 5],
      gives: [1, 3, 4, 14]),
    .init(.crop(Crop(1)), #"{"cropping":1}"#, [1, 3, 4, 5], gives: [1, 3, 2, 3]),
    .init(
      .crop(Crop(PaddingAmounts(0, 1, 3, 2))), #"{"cropping":[0,1,3,2]}"#, [1, 3, 4, 5],
      gives: [1, 3, 1, 2]),
  ]

  private static let matrices: [OperationRow] = [
    .init(
      .linear(Linear(outFeatures: 7, bias: true)), #"{"outFeatures":7}"#, [2, 3, 4, 5],
      gives: [2, 3, 4, 7]),
    .init(
      .linear(Linear(outFeatures: 1, bias: false)),
      #"{"bias":false,"#
        + #""outFeatures":1}"#, [2, 3, 4, 5],
      gives: [2, 3, 4, 1]),
    .init(.matmul, "{}", [2, 3, 4, 5], [2, 3, 5, 6], gives: [2, 3, 4, 6]),
    .init(.matmul, "{}", [2, 1, 4, 5], [1, 3, 5, 6], gives: [2, 3, 4, 6]),
    .init(.softmax(Softmax(dimension: 1)), "{}", [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .softmax(Softmax(dimension: 3)), #"{"dimension":3}"#, [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .layerNormalization(LayerNormalization(dimensions: 1, epsilon: 1e-5)), "{}", [2, 3, 4, 5],
      gives: [2, 3, 4, 5]),
    .init(
      .layerNormalization(LayerNormalization(dimensions: 3, epsilon: 1e-6)),
      #"{"dimensions":3,"epsilon":1e-06}"#,
      [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .groupNormalization(GroupNormalization(groups: 3)), #"{"groups":3}"#, [2, 6, 4, 5],
      gives: [2, 6, 4, 5]),
    .init(
      .groupNormalization(
        GroupNormalization(groups: 1, epsilon: 1e-3, scale: false, center: false)),
      #"{"center":false,"epsilon":0.001,"groups":1,"scale":false}"#, [1, 6, 4, 5],
      gives: [1, 6, 4, 5]),
    .init(InstanceNormalization().op, "{}", [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      InstanceNormalization(epsilon: 1e-3, affine: false).op,
      #"{"affine":false,"epsilon":0.001}"#, [2, 3, 4, 5], gives: [2, 3, 4, 5]),
    .init(
      .reduce(Reduction(.mean, dimensions: [2, 3])), #"{"dimensions":[2,3],"kind":"mean"}"#,
      [2, 3, 4, 5], gives: [2, 3, 1, 1]),
    .init(
      .reduce(Reduction(.sum, dimensions: [1], keepsDimensions: false)),
      #"{"dimensions":[1],"keepsDimensions":false,"kind":"sum"}"#, [2, 3, 4, 5], gives: [2, 4, 5]),
    .init(
      .reduce(Reduction(.maximum, dimensions: [3, 0])), #"{"dimensions":[3,0],"kind":"maximum"}"#,
      [2, 3, 4, 5], gives: [1, 3, 4, 1]),
    .init(
      .reshape(Reshape([0, 0, -1])), #"{"shape":[0,0,-1]}"#, [2, 3, 4, 5], gives: [2, 3, 20]),
    .init(
      .reshape(Reshape([0, -1, 2, 2, 5, 1])), #"{"shape":[0,-1,2,2,5,1]}"#, [2, 3, 4, 5],
      gives: [2, 3, 2, 2, 5, 1]),
    .init(
      .permute(Permute([0, 2, 3, 1])), #"{"order":[0,2,3,1]}"#, [2, 3, 4, 5], gives: [2, 4, 5, 3]),
    .init(
      .roll(Roll(shifts: [-2, 3], dimensions: [2, 3])), #"{"dimensions":[2,3],"shifts":[-2,3]}"#,
      [2, 3, 4, 5], gives: [2, 3, 4, 5]),
  ]
}
