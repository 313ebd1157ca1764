internal import AviaryGraph
internal import AviaryTensor

/// From what a network gives to the picture that losses judge, and back again: a residual or a noise
/// is put to the network's input, and a target loses the rim that the network does.
struct PictureTarget: Sendable {
  /// Pixels that the output lacks on each side of the target.
  private let margin: Int
  /// What the output is multiplied with before the input is added; nil where it is the picture.
  private let sign: Float?

  init(margin: Int, output: Picture.Output) {
    self.margin = margin
    sign =
      switch output {
      case .picture: nil
      case .residual: 1
      case .noise: -1
      }
  }

  /// The target without the rim.
  func target(_ target: Tensor) throws -> Tensor {
    margin == 0 ? target : try PictureTarget.cropped(target, margin)
  }

  /// The picture that an output stands for.
  func picture(_ output: Tensor, input: Tensor) throws -> Tensor {
    guard let sign else { return output }
    var picture = margin == 0 ? input : try PictureTarget.cropped(input, margin)
    unsafe picture.withMutableFloats { picture in
      unsafe output.withFloats { output in
        for i in picture.indices { unsafe picture[i] += sign * output[i] }
      }
    }
    return picture
  }

  /// The derivative by the output of one by the picture.
  func gradient(_ gradient: Tensor) -> Tensor {
    guard sign == -1 else { return gradient }
    var result = gradient
    unsafe result.withMutableFloats { values in
      for i in values.indices { unsafe values[i] = -values[i] }
    }
    return result
  }

  /// N x channels x height x width without so many pixels on each side.
  private static func cropped(_ pictures: Tensor, _ margin: Int) throws -> Tensor {
    let shape = pictures.shape
    let (height, width) = (shape[2] - 2 * margin, shape[3] - 2 * margin)
    var result = try Tensor(zeros: [shape[0], shape[1], height, width])
    unsafe result.withMutableFloats { target in
      unsafe pictures.withFloats { source in
        for plane in 0..<shape[0] * shape[1] {
          for row in 0..<height {
            let from = (plane * shape[2] + row + margin) * shape[3] + margin
            let to = (plane * height + row) * width
            for column in 0..<width { unsafe target[to + column] = source[from + column] }
          }
        }
      }
    }
    return result
  }
}
