internal import AviaryCheckpoint
internal import AviaryCompute
internal import AviaryGraph
internal import AviaryImage
internal import AviaryTensor
internal import AviaryTraining

/// A search for the scales by which a network computes in whole numbers of 8 bits: its convolutions'
/// inputs are looked at while it restores pictures, and those convolutions stay as they are whose
/// rounding would cost too much.
///
/// Weights are rounded symmetrically, per output channel, by their largest value; inputs per layer,
/// by the step of least squared error (Banner et al., "Post-training 4-bit quantization of
/// convolution networks for rapid-deployment", 2019, on clipping; Nagel et al., "A White Paper on
/// Neural Network Quantization", 2021).
public struct Calibration {
  /// The model with the scales, and what they cost in its card.
  public private(set) var model: Model
  /// The convolutions that could be quantised, in order, with what each by itself would cost: the
  /// squared error of the network's output over that of all together.
  public private(set) var costs: [(node: String, share: Double)] = []

  /// Finds the scales.
  ///
  /// - Parameters:
  ///   - scale: of the network's results; nil where it serves one only.
  ///   - progress: is told the share done, 0 to 1.
  /// - Throws: `AviaryError.notQuantizable` where nothing can be rounded within the budget,
  ///   `.noPictures`, `.scale`; `ImageError`, `ComputeError`, `GraphError`.
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
    let ratios = plain.graph.ratios
    let output = plain.graph.outputs.firstIndex { ratios[$0.value] == own } ?? 0
    let rule = plain.graph.sizeRule(output: output)
    let pictures = try CalibrationPicture.drawn(
      by: options, scale: upscaler.scale, multiple: rule.exactMultiple, minimum: rule.minimum,
      options.degradations ?? plain.trainedDegradations, progress: { progress($0 * 0.1) })
    let probe = try CalibrationProbe(
      plain, output: output,
      inputs: pictures.map { try $0.input(of: plain, scale: upscaler.scale) },
      threads: options.threads)
    let layers = try probe.layers { progress(0.1 + 0.2 * $0) }
    guard !layers.isEmpty else {
      throw AviaryError.notQuantizable(
        plain.name, "has no convolution of 16 channels or more, and so nothing to quantize")
    }
    let errors = try probe.errors(of: layers) { progress(0.3 + 0.4 * $0) }
    let total = max(errors.reduce(0, +), .leastNormalMagnitude)
    costs = zip(layers, errors).map { ($0.node, $1 / total) }

    // The worst stay as they are: as few as keep the loss within the budget, found by halving.
    let order = layers.indices.sorted { (errors[$1], $0) < (errors[$0], $1) }
    let reference = try score(plain, pictures, upscaler.scale, upscalerOptions)
    func quantized(keeping kept: Int) -> [QuantizedLayer] {
      let wide = Set(order.prefix(kept))
      return layers.indices.filter { !wide.contains($0) }.map { layers[$0] }
    }
    func loss(keeping kept: Int) throws -> Double {
      var candidate = plain
      candidate.quantization = quantized(keeping: kept)
      var options = upscalerOptions
      options.precision = .int8
      return reference - (try score(candidate, pictures, upscaler.scale, options))
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
      data: options.data.split(separator: "/").last.map(String.init) ?? options.data,
      pictures: pictures.count, patch: options.patch, seed: options.seed,
      layers: layers.count - high, kept: order.prefix(high).map { layers[$0].node }.sorted(),
      psnr: reference, loss: lost)
    progress(1)
  }
}

/// The mean PSNR of a model's results, in dB, by the protocol of evaluations.
private func score(
  _ model: Model, _ pictures: [CalibrationPicture], _ scale: Int, _ options: UpscalerOptions
) throws -> Double {
  let upscaler = try Upscaler(model, scale: scale, options: options)
  var figures: [Double] = []
  for picture in pictures {
    let result = try upscaler.result(for: picture.small)
    let quality = try PictureQuality(
      of: Evaluation.comparable(result, with: picture.original), original: picture.original,
      border: scale)
    // A part that is restored exactly, because there is nothing in it, says nothing.
    if quality.psnr.isFinite { figures.append(quality.psnr) }
  }
  return figures.reduce(0, +) / Double(max(figures.count, 1))
}

extension Model {
  /// What the pictures suffered that it was trained on, by the recipe in its card.
  fileprivate var trainedDegradations: [DataRecipe.Degradation] {
    card.training.flatMap { try? Recipe(yaml: $0.recipe) }?.data.degradations ?? []
  }
}
