import AviaryGraph

/// The pictures on which a network is followed while it is read.
struct ONNXSamples {
  /// For each picture the shape of each input.
  let shapes: [[[Int]]]
  /// Whether the first picture has the size that the file states, and the others have not: a
  /// constant that is one of its dimensions then stands for that dimension.
  let letsSizeGo: Bool

  /// Pictures of several sizes, the stated one first, odd ones among them.
  static func all(_ inputs: [ONNXInput]) -> ONNXSamples {
    ONNXSamples(inputs, free: [Size(960, 1_440), Size(480, 1_920), Size(491, 613)])
  }

  /// As `all`, but pictures whose sizes have nothing to do with each other's, for networks that take
  /// several.
  static func unrelated(_ inputs: [ONNXInput]) -> ONNXSamples {
    let sizes = [Size(960, 1_440), Size(480, 1_920), Size(491, 613)]
    return ONNXSamples(
      shapes: sizes.indices.map { sample in
        inputs.enumerated().map { position, input in
          let size = sizes[(sample + position) % sizes.count]
          return [sample + 1, input.channels, size.height, size.width]
        }
      }, letsSizeGo: false)
  }

  /// Pictures of several sizes that every common stride divides.
  static func even(_ inputs: [ONNXInput]) -> ONNXSamples {
    ONNXSamples(inputs, free: [Size(960, 1_440), Size(480, 1_920)])
  }

  /// Pictures of the stated size.
  static func stated(_ inputs: [ONNXInput]) -> ONNXSamples {
    ONNXSamples(
      shapes: [1, 2].map { count in
        inputs.map { [count, $0.channels, $0.size?.height ?? 480, $0.size?.width ?? 480] }
      }, letsSizeGo: true)
  }

  private init(shapes: [[[Int]]], letsSizeGo: Bool) {
    (self.shapes, self.letsSizeGo) = (shapes, letsSizeGo)
  }

  private init(_ inputs: [ONNXInput], free sizes: [Size]) {
    let isStated = inputs.contains { $0.size != nil }
    let base = sizes[0]
    var shapes = sizes.enumerated().map { sample, size in
      inputs.map { input in
        [sample + (isStated ? 2 : 1), input.channels]
          + scaled(size, input.size, inputs[0].size)
      }
    }
    if isStated {
      shapes.insert(
        inputs.map {
          [1, $0.channels, $0.size?.height ?? base.height, $0.size?.width ?? base.width]
        }, at: 0)
    }
    self.init(shapes: shapes, letsSizeGo: isStated)

    /// Further inputs keep their proportion to the first.
    func scaled(_ size: Size, _ own: Size?, _ first: Size?) -> [Int] {
      guard let own, let first else { return [size.height, size.width] }
      return [
        max(size.height * own.height / first.height, 1),
        max(size.width * own.width / first.width, 1),
      ]
    }
  }
}
