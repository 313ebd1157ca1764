internal import AviaryGraph

/// The networks of 16 and 19 layers whose features perceptual losses compare.
///
/// Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition. Nodes
/// are called as in torchvision: in `vgg16` the last activations of the levels are `features.3`
/// (relu1_2), `.8` (relu2_2), `.15` (relu3_3), `.22` (relu4_3) and `.29` (relu5_3), in `vgg19`
/// `.3`, `.8`, `.17`, `.26` and `.35`, each with its convolution right before it. The first output
/// is what losses customarily compare: relu3_3 of `vgg16` (Johnson et al.), conv5_4 of `vgg19`
/// before its activation (ESRGAN); the second is the end. Networks of less than three levels have
/// but their end.
///
/// torchvision's files have the classifier, of `classes`, which sees 7x7 numbers a channel, as
/// images of 224x224 give them; those of other sizes are interpolated. Of Keras's files those
/// without it ("notop") are recognised. They want images of 0 to 255 without a mean, blue first:
/// with `origin` `keras` the network begins by changing the order.
enum VGG: Architecture {
  struct Configuration: ArchitectureConfiguration {
    /// Whose images: torchvision's or Keras's.
    enum Origin: String, Codable, Sendable { case keras, pytorch }

    var channels = 3
    /// Channels of each level; after each a pooling.
    var features = [64, 128, 256, 512, 512]
    /// Convolutions of each level.
    var convolutions = [2, 2, 3, 3, 3]
    var batchNormalization = false
    /// Of the classifier, which is left out where there are none.
    var classes = 0
    /// Of the classifier's two hidden layers.
    var hidden = 4096
    var origin = Origin.pytorch
    var scale: Int { 1 }

    var problem: String? {
      if features.count != convolutions.count || !(1...8).contains(features.count) {
        return
          "features and convolutions: expected 1 to 8 levels each, found \(features.count) and "
          + "\(convolutions.count)"
      }
      if !convolutions.allSatisfy({ (1...16).contains($0) }) {
        return "convolutions: expected 1 to 16 a level, found \(convolutions)"
      }
      return origin == .keras && channels != 3
        ? "channels: Keras's networks have 3, found \(channels)" : nil
    }
  }

  static let info = ArchitectureInfo(
    "vgg", kind: .features, summary: "Features that perceptual losses compare",
    paper: "https://arxiv.org/abs/1409.1556")

  static let presets: KeyValuePairs = [
    "vgg16": Configuration(),
    "vgg19": Configuration(convolutions: [2, 2, 4, 4, 4]),
  ]

  static func build(_ c: Configuration, _ input: Value) -> [Value] {
    var x = input
    if c.origin == .keras {
      x = .concatenate(
        (0..<3).reversed().map { input.applying(.slice(ChannelSlice(start: $0, count: 1))) })
    }
    var count = 0
    func add(_ layer: (String) -> Value) { (x, count) = (layer("features.\(count)"), count + 1) }
    // Before its last activation, and after.
    var levels: [(before: Value, after: Value)] = []
    for (features, convolutions) in zip(c.features, c.convolutions) {
      var before = x
      for _ in 0..<convolutions {
        add { x.convolution($0, features, kernel: 3) }
        if c.batchNormalization { add { x.batchNormalization($0) } }
        before = x
        add { x.applying(.activation(.relu), named: $0) }
      }
      levels.append((before, x))
      add { x.applying(.maxPool(MaxPool(Pool(kernel: 2, stride: 2, padding: .valid))), named: $0) }
    }
    let end = c.classes > 0 ? classifier(c, x) : x
    if levels.count < 3 { return [end] }
    return [c.convolutions == [2, 2, 4, 4, 4] ? levels[4].before : levels[2].after, end]
  }

  private static func classifier(_ c: Configuration, _ x: Value) -> Value {
    // One number with a border of three: a value of 7x7 whose size can be asked for.
    let size = x.applying(.globalAveragePool).applying(.pad(Pad(PaddingAmounts(3, 3, 3, 3), .zero)))
    let square = x.applying(
      .resize(Resize(.linear, to: .sizeOfSecondInput, antialias: true)), size)
    return square.applying(.reshape(Reshape([0, -1])))
      .linear("classifier.0", c.hidden).relu()
      .linear("classifier.3", c.hidden).relu()
      .linear("classifier.6", c.classes)
  }

  static func configurations(of weights: WeightIndex) -> [Proposal<Configuration>] {
    guard let first = weights.convolution("features.0") else { return [] }
    var c = Configuration(channels: first[1])
    c.batchNormalization = weights["features.1.running_mean"] != nil
    (c.features, c.convolutions) = ([], [])
    // A gap of one more than between convolutions of a level is a pooling.
    let step = c.batchNormalization ? 3 : 2
    var position = 0
    while c.features.count < 9, let convolution = weights.convolution("features.\(position)") {
      var count = 0
      repeat {
        (count, position) = (count + 1, position + step)
      } while weights.convolution("features.\(position)") != nil
      c.features.append(convolution[0])
      c.convolutions.append(count)
      position += 1
    }
    if let hidden = weights["classifier.0.weight"], let last = weights["classifier.6.weight"] {
      (c.hidden, c.classes) = (hidden[0], last[0])
    }
    return [Proposal(c, assumed: ["origin"])]
  }

  // The deepest first: a later level's numbers are also some that an earlier one's pattern could
  // make.
  static let publishedNames = [
    NameMap(
      "Keras VGG16",
      [
        "block5_conv{i+1}": "features.{2i+24}", "block4_conv{i+1}": "features.{2i+17}",
        "block3_conv{i+1}": "features.{2i+10}", "block2_conv{i+1}": "features.{2i+5}",
        "block1_conv{i+1}": "features.{2i}",
      ]),
    NameMap(
      "Keras VGG19",
      [
        "block5_conv{i+1}": "features.{2i+28}", "block4_conv{i+1}": "features.{2i+19}",
        "block3_conv{i+1}": "features.{2i+10}", "block2_conv{i+1}": "features.{2i+5}",
        "block1_conv{i+1}": "features.{2i}",
      ]),
  ]

  /// ImageNet's mean and deviation; Keras's, which has the Caffe models' mean and no deviation.
  static func picture(_ c: Configuration) -> ImageSpec {
    if c.channels != 3 { return ImageSpec(channels: c.channels) }
    return c.origin == .keras
      ? ImageSpec(.rgb, range: 0...255, mean: [123.68, 116.779, 103.939])
      : ImageSpec(.rgb, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])
  }
}

@section("aviary_architectures") @used
private let record: Registration = { unsafe register(VGG.self, $0) }
