import AviaryGraph

/// The images on which a network is followed while it is read: for each, the shape of every input.
struct ONNXSamples {
  /// For each image the shape of each input.
  let shapes: [[[Int]]]
  /// Whether the first image has the size that the file states, and the others have not: a constant
  /// that is one of its dimensions then stands for that dimension.
  let letsSizeGo: Bool

  init(_ shapes: [[[Int]]], letsSizeGo: Bool = false) {
    (self.shapes, self.letsSizeGo) = (shapes, letsSizeGo)
  }

  /// One of these images alone.
  func only(_ sample: Int) -> ONNXSamples { ONNXSamples([shapes[sample]]) }

  /// Some of these images.
  func selecting(_ samples: [Int]) -> ONNXSamples { ONNXSamples(samples.map { shapes[$0] }) }

  /// The size of an image, in words.
  func text(_ sample: Int) -> String {
    shapes[sample].map { "\($0[3])x\($0[2])" }.joined(separator: " and ")
  }
}

extension ONNXSamples {
  /// Sizes that differ in what is left of them after division: what every common stride divides, what
  /// 8, 4 and 2 alone divide, of those that 3 divides too, and odd ones. What a network makes of sizes is the same for all of them,
  /// or its graph is not the same for all. No two multiples up to 512 ask for the same padding of all
  /// of them, neither of the heights nor of the widths.
  private static let sizes = [
    Size(960, 1_440), Size(480, 1_920), Size(535, 873), Size(578, 782), Size(580, 708),
    Size(728, 648), Size(1_020, 564), Size(750, 666),
  ]

  /// Images of the only size that the network takes: one, and several at once where the file allows it.
  static func stated(_ inputs: [ONNXInput]) -> ONNXSamples {
    let counts = inputs.contains { $0.count == nil } ? [1, 2] : [1]
    return ONNXSamples(
      counts.map { count in
        inputs.map { input in
          [input.count ?? count, input.channels, input.size?.height ?? 1, input.size?.width ?? 1]
        }
      })
  }

  /// Images of several sizes, all inputs of one.
  static func free(_ inputs: [ONNXInput]) -> ONNXSamples {
    ONNXSamples(
      sizes.enumerated().map { sample, size in
        inputs.map { [$0.count ?? sample + 1, $0.channels, size.height, size.width] }
      })
  }

  /// Images of several sizes, for networks that take several images: the sizes have nothing to do with
  /// each other.
  static func unrelated(_ inputs: [ONNXInput]) -> ONNXSamples {
    ONNXSamples(
      sizes.indices.map { sample in
        inputs.enumerated().map { position, input in
          let size = sizes[(sample + position) % sizes.count]
          return [input.count ?? sample + 1, input.channels, size.height, size.width]
        }
      })
  }

  /// Square images of several sizes, all inputs of one.
  static func square(_ inputs: [ONNXInput]) -> ONNXSamples {
    ONNXSamples(
      sizes.enumerated().map { sample, size in
        inputs.map { [$0.count ?? sample + 1, $0.channels, size.height, size.height] }
      })
  }

  /// Images of several sizes, of which all but the first are smaller.
  static func smaller(_ inputs: [ONNXInput]) -> ONNXSamples {
    let large = unrelated(inputs)
    return ONNXSamples(
      large.shapes.map { shapes in
        // A third and a seventh, rounded: no size is in proportion to another.
        shapes.enumerated().map { position, shape in
          position == 0 ? shape : Array(shape.prefix(2)) + [shape[2] / 3 + 1, shape[3] / 7 + 2]
        }
      })
  }

  /// Images of several sizes, of which each is as high as the one before is wide: what can be multiplied
  /// as matrices.
  static func chained(_ inputs: [ONNXInput]) -> ONNXSamples {
    let sides = sizes.flatMap { [$0.height, $0.width] }
    return ONNXSamples(
      sizes.indices.map { sample in
        inputs.enumerated().map { position, input in
          let first = 2 * sample + position
          return [
            input.count ?? sample + 1, input.channels, sides[first % sides.count],
            sides[(first + 1) % sides.count],
          ]
        }
      })
  }

  /// An image of the size that the file states, which is said to be that of an example only, and others
  /// whose inputs keep their proportion to the first.
  static func example(_ inputs: [ONNXInput]) -> ONNXSamples {
    let first = inputs[0].size ?? sizes[0]
    let stated = inputs.map { input in
      [1, input.channels, input.size?.height ?? first.height, input.size?.width ?? first.width]
    }
    // Multiples of what the example is a multiple of.
    let others = [(2, 3), (4, 2), (3, 5)].enumerated().map { sample, factors in
      inputs.map { input in
        let own = input.size ?? first
        return [sample + 2, input.channels, own.height * factors.0, own.width * factors.1]
      }
    }
    return ONNXSamples([stated] + others, letsSizeGo: true)
  }
}
