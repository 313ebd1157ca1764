internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryFiles
internal import AviaryGraph
internal import AviaryImage
internal import AviaryTensor
public import AviaryTraining

/// How a network is calibrated for int8.
public struct QuantizationOptions: Sendable {
  /// A folder of images, ideally like those that the network will see, but not those used for
  /// evaluation.
  public var data: String
  /// How many images to use; all if there are fewer.
  public var images: Int
  /// The side of the patch taken from each image, in pixels of the result.
  public var patch: Int
  /// Seeds the choice of images and patches.
  public var seed: UInt64
  /// The largest loss of PSNR in dB, averaged over these images; layers stay in float32 until the
  /// loss is within it.
  public var budget: Double
  /// The degradations applied after downscaling; nil for those of the recipe in the model card, by
  /// which the network was trained.
  public var degradations: [DataRecipe.Degradation]?
  /// Threads; nil for one per core that the process may use.
  public var threads: Int?

  /// By default 24 patches of 192 pixels, and a loss of at most 0.05 dB.
  public init(
    data: String, images: Int = 24, patch: Int = 192, seed: UInt64 = 1, budget: Double = 0.05,
    degradations: [DataRecipe.Degradation]? = nil, threads: Int? = nil
  ) {
    self.data = data
    self.images = images
    self.patch = patch
    self.seed = seed
    self.budget = budget
    self.degradations = degradations
    self.threads = threads
  }
}

/// Finds int8 quantization scales for a network. It observes the inputs of the network's
/// convolutions on images, and leaves those convolutions in float32 whose quantization would cost
/// too much.
///
/// Weights are quantized symmetrically per output channel, by their largest value; inputs per
/// layer, by the scale with the least squared error (Banner et al., "Post-training 4-bit
/// quantization of convolution networks for rapid-deployment", 2019, on clipping; Nagel et al., "A
/// White Paper on Neural Network Quantization", 2021).
public struct Calibration {
  /// The model with its quantization scales; the model card says what they cost.
  public private(set) var model: Model
  /// The convolutions that can be quantized, in order, each with its own cost: the squared error of
  /// the network's output, as a share of the sum over all of them.
  public private(set) var costs: [(node: String, share: Double)] = []

  /// Finds the scales.
  ///
  /// - Parameters:
  ///   - scale: of the network's results; nil if it supports only one.
  ///   - progress: called with the share done, 0 to 1.
  /// - Throws: `AviaryError.notQuantizable` if nothing can be quantized within the budget,
  ///   `.noImages`, `.scale`; `ImageError`, `ComputeError`, `GraphError`.
  public init(
    _ model: Model, scale: Int? = nil, _ options: QuantizationOptions,
    progress: (Double) -> Void = { _ in }
  ) throws {
    var plain = model
    plain.quantization = []
    plain.card.quantization = nil
    self.model = plain
    let upscalerOptions = UpscalerOptions(threads: options.threads, precision: .float32)
    let upscaler = try Upscaler(plain, scale: scale, options: upscalerOptions)
    let own = Ratio(plain.picture.enlargeFirst == .no ? upscaler.scale : 1)
    let output = plain.graph.scales.firstIndex(of: own) ?? 0
    let rule = plain.graph.sizeRule(output: output)
    let images = try CalibrationImage.drawn(
      by: options, scale: upscaler.scale, enlargesFirst: plain.picture.enlargeFirst != .no, rule,
      options.degradations ?? plain.trainedDegradations, progress: { progress($0 * 0.1) })
    let probe = try CalibrationProbe(
      plain, output: output,
      inputs: images.map { try $0.input(of: plain, scale: upscaler.scale) },
      threads: options.threads)
    let layers = try probe.layers { progress(0.1 + 0.2 * $0) }
    guard !layers.isEmpty else {
      throw AviaryError.notQuantizable(
        plain.name, "has no convolution of 16 channels or more, and so nothing to quantize")
    }
    let errors = try probe.errors(of: layers) { progress(0.3 + 0.4 * $0) }
    let total = max(errors.reduce(0, +), .leastNormalMagnitude)
    costs = zip(layers, errors).map { ($0.node, $1 / total) }

    // Keep as few of the worst layers in float32 as the budget allows, found by bisection.
    let order = layers.indices.sorted { (errors[$1], $0) < (errors[$0], $1) }
    let reference = try score(plain, images, upscaler.scale, upscalerOptions)
    func quantized(keeping kept: Int) -> [QuantizedLayer] {
      let wide = Set(order.prefix(kept))
      return layers.indices.filter { !wide.contains($0) }.map { layers[$0] }
    }
    func loss(keeping kept: Int) throws -> Double {
      var candidate = plain
      candidate.quantization = quantized(keeping: kept)
      var options = upscalerOptions
      options.precision = .int8
      return reference - (try score(candidate, images, upscaler.scale, options))
    }
    var (low, high) = (0, layers.count)
    var lost = 0.0
    var rounds = 0.0
    while low < high {
      let middle = rounds == 0 ? 0 : (low + high) / 2
      let found = try loss(keeping: middle)
      if found <= options.budget { (high, lost) = (middle, found) } else { low = middle + 1 }
      rounds += 1
      progress(min(0.7 + 0.05 * rounds, 0.99))
    }
    guard high < layers.count else {
      throw AviaryError.notQuantizable(
        plain.name,
        "loses more than the budget of \(options.budget) dB by whatever layer is quantized")
    }
    self.model.quantization = quantized(keeping: high)
    self.model.card.quantization = Card.Quantization(
      data: options.data.fileName,
      pictures: images.count, patch: options.patch, seed: options.seed,
      layers: layers.count - high, kept: order.prefix(high).map { layers[$0].node }.sorted(),
      psnr: reference, loss: lost)
    progress(1)
  }
}

/// The mean PSNR of a model's results in dB, by the protocol of `eval`.
private func score(
  _ model: Model, _ images: [CalibrationImage], _ scale: Int, _ options: UpscalerOptions
) throws -> Double {
  let upscaler = try Upscaler(model, scale: scale, options: options)
  var figures: [Double] = []
  for image in images {
    let result = try upscaler.result(for: image.small)
    let quality = try ImageQuality(
      of: Evaluation.comparable(result, with: image.original), original: image.original,
      border: scale)
    // A patch that is restored exactly, because it is empty, says nothing.
    if quality.psnr.isFinite { figures.append(quality.psnr) }
  }
  return figures.reduce(0, +) / Double(max(figures.count, 1))
}

extension Model {
  /// The degradations that the model was trained on, from the recipe in its card.
  fileprivate var trainedDegradations: [DataRecipe.Degradation] {
    card.training.flatMap { try? Recipe(yaml: $0.recipe) }?.data.degradations ?? []
  }
}

extension [QuantizedLayer] {
  /// Throws unless the scales belong to convolutions of the graph.
  ///
  /// - Throws: `AviaryError.checkpointPart`.
  func check(against graph: Graph, _ path: String) throws(AviaryError) {
    var outChannels: [String: Int] = [:]
    // A graph that exists has shapes that its expansions have taken.
    let expanded = (try? graph.expanded().graph) ?? graph
    for node in expanded.nodes {
      switch node.op {
      case .convolution(let c): outChannels[node.name] = c.outChannels
      case .transposedConvolution(let c): outChannels[node.name] = c.outChannels
      default: break
      }
    }
    for layer in self {
      guard let expected = outChannels[layer.node] else {
        throw .checkpointPart(
          path: path, part: "quantization",
          problem: "\(layer.node): expected a convolution of the graph, found none")
      }
      guard layer.weightScales.count == expected else {
        throw .checkpointPart(
          path: path, part: "quantization",
          problem: "\(layer.node): expected \(expected) scales, found \(layer.weightScales.count)")
      }
    }
  }
}
