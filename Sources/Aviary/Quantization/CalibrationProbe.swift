internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryImage
internal import AviaryTensor
internal import AviaryTraining

/// Runs a network on the calibration images and observes its intermediate values.
struct CalibrationProbe {
  private let graph: Graph
  private let output: Graph.Output
  private let inputs: [Tensor]
  private let weights: PackedWeights
  private let engine: Engine
  private let candidates: [Quantization.Candidate]

  init(_ model: Model, output: Int, inputs: [Tensor], threads: Int?) throws {
    // Layers that an expansion is made of can be quantised too.
    graph = try model.graph.expanded().graph
    self.output = graph.outputs[output]
    self.inputs = inputs
    weights = PackedWeights(Dictionary(model.weights.map { ($0.name, $0.tensor) }) { $1 })
    engine = try Engine(threads: threads)
    candidates = try Quantization.candidates(
      in: graph, weights: weights, inputShapes: [inputs[0].shape])
  }

  /// The layers that can be quantized, with the scales that fit their inputs.
  func layers(progress: (Double) -> Void) throws -> [QuantizedLayer] {
    if candidates.isEmpty { return [] }
    // Several layers may share an input.
    let values = Set(candidates.map(\.input)).sorted()
    let probed = try Graph(
      inputs: graph.inputs, nodes: graph.nodes,
      outputs: values.map { Graph.Output("value \($0)", value: $0) })
    var statistics = values.map { _ in InputStatistics() }
    try run(probed, nil, nil, progress) { _, results in
      for (position, value) in values.enumerated() {
        guard let tensor = results["value \(value)"] else { continue }
        unsafe tensor.withFloats { unsafe statistics[position].add($0) }
      }
    }
    let steps = Dictionary(
      uniqueKeysWithValues: zip(values, statistics.map { ($0.step, $0.isSigned) }))
    return candidates.compactMap { candidate in
      steps[candidate.input].map { step, isSigned in
        QuantizedLayer(
          node: candidate.name, inputScale: step, isSigned: isSigned,
          weightScales: candidate.weightScales)
      }
    }
  }

  /// For each layer, the mean squared error of the network's output if only that layer is
  /// quantized.
  func errors(of layers: [QuantizedLayer], progress: (Double) -> Void) throws -> [Double] {
    var expected: [Tensor] = []
    try run(graph, [output.name], nil, { _ in }) { _, results in
      if let result = results[output.name] { expected.append(result) }
    }
    var errors: [Double] = []
    for (position, layer) in layers.enumerated() {
      progress(Double(position) / Double(layers.count))
      var sum = 0.0
      try run(graph, [output.name], Quantization([layer]), { _ in }) { position, results in
        guard let result = results[output.name] else { return }
        sum += expected[position].squaredDifference(from: result)
      }
      errors.append(sum / Double(inputs.count))
    }
    return errors
  }

  /// Runs the network on all images, with one plan at a time for each size.
  private func run(
    _ graph: Graph, _ outputs: [String]?, _ quantization: Quantization?,
    _ progress: (Double) -> Void,
    _ body: (Int, [String: Tensor]) throws -> Void
  ) throws {
    var plan: Plan?
    var shape: [Int] = []
    for (position, input) in inputs.enumerated() {
      progress(Double(position) / Double(inputs.count))
      if input.shape != shape {
        plan = nil
        plan = try Plan(
          graph, weights: weights, inputShapes: [input.shape], outputs: outputs,
          options: PlanOptions(quantization: quantization), engine: engine)
        shape = input.shape
      }
      guard let results = try plan?.run([graph.inputs[0].name: input]) else {
        preconditionFailure("a plan was made")
      }
      try body(position, results)
    }
  }
}

extension Quantization {
  /// The layers that a checkpoint keeps.
  init(_ layers: [QuantizedLayer]) {
    self.init(
      Dictionary(
        layers.map {
          (
            $0.node,
            Layer(
              inputScale: $0.inputScale, isSigned: $0.isSigned, weightScales: $0.weightScales)
          )
        }
      ) { $1 })
  }
}

extension Tensor {
  /// The mean of the squared differences of elements.
  fileprivate func squaredDifference(from other: Tensor) -> Double {
    unsafe withFloats { a in
      unsafe other.withFloats { b in
        var sum = 0.0
        for i in 0..<min(a.count, b.count) {
          let difference = unsafe Double(a[i] - b[i])
          sum += difference * difference
        }
        return sum / Double(max(a.count, 1))
      }
    }
  }
}

/// A part of an image, and what the network is given to restore it from.
struct CalibrationImage {
  let original: Image
  let small: Image

  /// Which stream of the seed images and parts are drawn from: the letters "quan".
  private static let purpose: UInt64 = 0x7175_616E

  /// Draws parts of the images of a folder.
  ///
  /// - Parameters:
  ///   - scale: what the network enlarges by.
  ///   - enlargesFirst: whether images are enlarged before the network sees them.
  ///   - rule: the sizes that the network takes.
  /// - Throws: `AviaryError.noImages` where none is large enough; `ImageError`.
  static func drawn(
    by options: QuantizationOptions, scale: Int, enlargesFirst: Bool, _ rule: SizeRule,
    _ degradations: [DataRecipe.Degradation], progress: (Double) -> Void
  ) throws -> [CalibrationImage] {
    var generator = SeededGenerator(seed: options.seed, purpose)
    let names = try generator.shuffled(ImageFolder.images(in: options.data))
    var images: [CalibrationImage] = []
    for (position, name) in names.enumerated() where images.count < options.images {
      progress(Double(images.count) / Double(min(options.images, names.count)))
      let whole = try Image(contentsOf: "\(options.data)/\(name)").opaque
      func side(_ length: Int, only: Int?) -> Int {
        if let only { return only * (enlargesFirst ? 1 : scale) }
        let step = scale * rule.exactMultiple
        return min(options.patch, length) / step * step
      }
      let width = side(whole.width, only: rule.size?.width)
      let height = side(whole.height, only: rule.size?.height)
      // SSIM's window is 11 pixels wide.
      guard min(width, height) >= max(scale * rule.minimum, 2 * scale + 11),
        width <= whole.width, height <= whole.height
      else { continue }
      let original = try whole.cropped(
        x: generator.integer(in: 0...whole.width - width),
        y: generator.integer(in: 0...whole.height - height), width: width,
        height: height)
      let small = try Evaluation.lowResolution(of: original, name, scale: scale, folder: nil)
      images.append(
        CalibrationImage(
          original: original,
          small: try Evaluation.degraded(small, by: degradations, position: position)))
    }
    guard !images.isEmpty else { throw AviaryError.noImages(folder: options.data) }
    return images
  }

  /// What the network is given: [runs, channels, height, width].
  func input(of model: Model, scale: Int) throws -> Tensor {
    let colour = model.picture.colour.model(for: small.format.color)
    var image = try small.converted(to: colour)
    if model.picture.enlargeFirst == .bicubic {
      image = try Resampling().resize(image, by: ScaleFactor(scale))
    }
    let channels = model.graph.inputs[0].channels
    var values: [Float] = []
    values.reserveCapacity(image.channels * image.width * image.height)
    let size = image.width * image.height
    unsafe image.withFloats { pixels in
      for plane in 0..<image.channels {
        let (factor, offset) = model.picture.scaling(channel: plane % channels)
        for i in plane * size..<(plane + 1) * size {
          unsafe values.append(pixels[i] * factor + offset)
        }
      }
    }
    return try Tensor(
      shape: [image.channels / channels, channels, image.height, image.width], values)
  }
}

/// The distribution of a layer's input, from samples.
struct InputStatistics {
  private var samples: [Float] = []
  private var smallest: Float = 0

  /// Samples kept per image: enough to know the distribution, few enough for networks of hundreds
  /// of layers.
  private static let samplesPerImage = 4096

  /// Adds the values of one image.
  mutating func add(_ values: UnsafeBufferPointer<Float>) {
    var largest: Float = 0
    for i in values.indices {
      let value = unsafe values[i]
      // Comparisons with NaN are false.
      if value < smallest { smallest = value }
      if value.magnitude > largest { largest = value.magnitude }
    }
    // An odd stride visits all channels, whose number is usually even.
    let step = max(values.count / InputStatistics.samplesPerImage, 1) | 1
    for i in stride(from: 0, to: values.count, by: step) { unsafe samples.append(values[i]) }
    samples.append(largest)
  }

  /// Whether there are negative values.
  var isSigned: Bool { smallest < 0 }

  /// The scale at which rounding and clipping change the values least, in the sum of squares. The
  /// largest values are clipped if that makes all others more precise.
  var step: Float {
    let levels: Float = isSigned ? 127 : 255
    let largest = samples.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
    guard largest > 0x1p-90 else { return 1 }
    var best: (error: Double, step: Float) = (.infinity, largest / levels)
    for part in stride(from: 64, through: 20, by: -2) {
      let step = largest * Float(part) / 64 / levels
      let error = error(step: step, levels: levels)
      if error < best.error { best = (error, step) }
    }
    return best.step
  }

  private func error(step: Float, levels: Float) -> Double {
    let inverse = 1 / step
    let lowest: Float = isSigned ? -levels : 0
    var sum = 0.0
    for value in samples where value.isFinite {
      let whole = min(max((value * inverse).rounded(.toNearestOrEven), lowest), levels)
      let difference = Double(value - whole * step)
      sum += difference * difference
    }
    return sum
  }
}
