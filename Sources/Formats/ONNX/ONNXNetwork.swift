import AviaryGraph

/// ONNX models as graphs of ours.
public enum ONNXNetwork {
  /// The network that an ONNX file holds, with its weights.
  ///
  /// A size of image that the file states is kept: exporters write sizes down, and what a network was
  /// specialised for does not show. A network of any size is followed at several sizes at once, and
  /// must come out the same for all that it can run at.
  ///
  /// - Parameter file: what `WeightsFile.read` gave of an ONNX file.
  /// - Throws: `InterchangeError`: `.layer` for an operation that ours do not express,
  ///   `.description` for a model that contradicts itself, `.weights` for weights of another shape,
  ///   `.graph`.
  public static func graph(_ file: WeightsFile) throws(InterchangeError) -> ImportedGraph {
    guard case .onnx(let model) = file.network else {
      throw .description(part: file.path, problem: "it is not an ONNX model")
    }
    let images = try ONNXInput.images(of: model)
    let attempt = ONNXAttempt(
      model: model, file: file, inputs: images, numbers: try ONNXInput.numbers(of: model))
    guard images[0].size != nil else {
      return try images.count > 1 ? attempt.ofSeveral(images) : attempt.ofAnySize(.free(images))
    }
    if model.options.size == .any {
      let samples = ONNXSamples.example(images)
      do {
        return try attempt.read(samples)
      } catch {
        // Where it cannot be read at its own size either, that is the reason.
        _ = try attempt.read(samples.only(0))
        throw error
      }
    }
    let samples = ONNXSamples.stated(images)
    if let graph = try? attempt.read(samples) { return graph }
    return try attempt.read(samples.only(0))
  }
}

/// A model, to be read for images of several sizes.
private struct ONNXAttempt {
  let model: ONNXModel
  let file: WeightsFile
  let inputs: [ONNXInput]
  let numbers: [String: ONNXNumbers]

  func read(_ samples: ONNXSamples) throws(InterchangeError) -> ImportedGraph {
    var reader = ONNXReader(model, file, inputs, numbers, samples)
    return try reader.graph()
  }

  /// A network of several images that states no size: of images whose sizes have nothing to do with each
  /// other, if it takes those, else of images of one size.
  func ofSeveral(_ images: [ONNXInput]) throws(InterchangeError) -> ImportedGraph {
    let unrelated = ONNXSamples.unrelated(images)
    for samples in [unrelated, .smaller(images)] {
      if let graph = try? ofAnySize(samples) { return graph }
    }
    let imported: ImportedGraph
    do {
      imported = try ofAnySize(.free(images))
    } catch {
      if let graph = try? read(.chained(images)) { return graph }
      throw error
    }
    // A graph that takes other sizes as well would not be the network that was read at one.
    guard
      !(unrelated.shapes + ONNXSamples.smaller(images).shapes).contains(where: {
        (try? imported.graph.shapes(for: $0)) != nil
      })
    else {
      throw .description(
        part: "the graph's inputs",
        problem:
          "how the sizes of the images depend on each other is not read; if the network is made "
          + "for one size, give it with --size WIDTHxHEIGHT")
    }
    return imported
  }

  /// A network that states no size: one graph for all sizes of these that it can run at.
  ///
  /// Networks that cannot run at all of them (odd sizes, say) are read for the others. A size at which
  /// the network runs and would be another graph is never left out.
  func ofAnySize(_ samples: ONNXSamples) throws(InterchangeError) -> ImportedGraph {
    let joint: InterchangeError
    do {
      return try read(samples)
    } catch {
      joint = error
    }
    var errors: [InterchangeError?] = []
    for sample in samples.shapes.indices {
      do {
        // Whether the network runs at it, no more: sizes of one image are no graph for others.
        var reader = ONNXReader(model, file, inputs, numbers, samples.only(sample))
        _ = try reader.follow()
        errors.append(nil)
      } catch {
        errors.append(error)
      }
    }
    let valid = errors.indices.filter { errors[$0] == nil }
    if valid.count > 1, valid.count < errors.count { return try read(samples.selecting(valid)) }
    // Some networks take square images alone.
    if valid.isEmpty, let square = try? read(.square(inputs)) { return square }
    // At all sizes, or at one: what they do not agree on is the reason.
    guard valid.isEmpty, let first = errors[0], let second = errors[1] else { throw joint }
    if first == second { throw first }
    // What fails at each size in another way was made for a size that the file does not state.
    guard case .layer(let name, let kind, let place, let why) = first else { throw first }
    throw .layer(
      name, kind: kind, place: place,
      why: "the network runs at none of the sizes that were tried (at \(samples.text(0)): \(why)); "
        + "if it is made for one size, which the file does not state, give it with --size WIDTHxHEIGHT"
    )
  }
}

/// Windows, strides and padding, as all operators with windows state them.
extension ONNXReader {
  /// The first input, which must be an image.
  mutating func picture() throws(InterchangeError) -> Int {
    let input = try value(0)
    guard rank(input) == 4 else {
      throw unsupported("expected an image (NCHW), found \(shapes[input][0])")
    }
    return input
  }

  func kernelShape(_ shape: [Int]) throws(InterchangeError) -> [Int] {
    guard shape.count == 4 else {
      throw unsupported("expected weights of 4 dimensions, found \(shape)")
    }
    if let stated = node.integers("kernel_shape"), stated != Array(shape.suffix(2)) {
      throw unsupported("expected kernel_shape \(shape.suffix(2)), found \(stated)")
    }
    return shape
  }

  func groups() throws(InterchangeError) -> Int {
    let groups = node.integer("group") ?? 1
    guard (1...GraphLimits.channels).contains(groups) else { throw unsupported("group \(groups)") }
    return groups
  }

  /// Two numbers along the axes.
  func size(_ name: String, standard: Int = 1) throws(InterchangeError) -> Size {
    guard let numbers = node.integers(name), !numbers.isEmpty else { return Size(standard) }
    guard numbers.count == 2, numbers.allSatisfy((0...GraphLimits.window).contains) else {
      throw unsupported(
        "\(name): expected two numbers up to \(GraphLimits.window), found \(numbers)")
    }
    return Size(numbers[0], numbers[1])
  }

  /// Numbers of rows and columns: all at the beginning, then all at the end.
  func edges(_ name: String) throws(InterchangeError) -> PaddingAmounts {
    guard let numbers = node.integers(name), !numbers.isEmpty else { return .none }
    guard numbers.count == 4, numbers.allSatisfy((0...GraphLimits.window).contains) else {
      throw unsupported(
        "\(name): expected four numbers up to \(GraphLimits.window), found \(numbers)")
    }
    return PaddingAmounts(numbers[0], numbers[1], numbers[2], numbers[3])
  }

  func padding(
    kernel: Size, stride: Size, dilation: Size
  ) throws(InterchangeError) -> Padding {
    switch node.text("auto_pad") ?? "NOTSET" {
    case "NOTSET", "": return .explicit(try edges("pads"))
    case "VALID": return .valid
    case "SAME_UPPER": return .same
    case "SAME_LOWER":
      // At stride 1 the rule does not depend on the size; else only 'upper' can be said.
      guard stride == 1 else { throw unsupported("auto_pad SAME_LOWER with a stride above 1") }
      let vertical = (kernel.height - 1) * dilation.height
      let horizontal = (kernel.width - 1) * dilation.width
      return .explicit(
        PaddingAmounts(
          vertical - vertical / 2, horizontal - horizontal / 2, vertical / 2, horizontal / 2))
    case let rule: throw unsupported("auto_pad \(rule)")
    }
  }
}
