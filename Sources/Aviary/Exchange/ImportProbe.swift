public import AviaryGraph
internal import AviaryTensor

/// What an imported network makes of a natural image: a wrong range of values shows at once.
public struct ImportProbe {
  private let model: Model
  /// The result, in values from 0 to 1.
  private let values: [Float]

  /// The most parameters of a network that is run: larger ones take seconds.
  public static let mostParameters = 25_000_000

  /// Runs the network once.
  ///
  /// - Returns: nil where no image can be run, or the network is too large.
  public init?(_ model: Model) {
    guard model.graph.parameterCount <= ImportProbe.mostParameters,
      let values = ImportProbe.result(of: model)
    else { return nil }
    (self.model, self.values) = (model, values)
  }

  /// What is wrong with the result, and what to try; nil where it looks like an image.
  public var problem: String? {
    guard let least = values.min(), let most = values.max(), least.isFinite, most.isFinite else {
      return nil
    }
    let isConstant = most - least < 1 / 255
    let beyond = values.count { $0 <= 0 || $0 >= 1 }
    guard isConstant || beyond * 10 > values.count * 9 else { return nil }
    let other = model.picture.range == 0...1 ? "[0, 255]" : "[0, 1]"
    return "the result for a natural image is "
      + (isConstant ? "the same value everywhere" : "saturated: black or white nearly everywhere")
      + #"; perhaps the network takes other values: try --input '{"range": \#(other)}'"#
  }

  /// The report with what its alternatives make of the result.
  public func compared(_ report: LoadReport, _ registry: Registry) -> LoadReport {
    guard !report.alternatives.isEmpty, let architecture = try? registry[model.architecture],
      let members = model.configuration.object
    else { return report }
    var report = report
    for (place, alternative) in report.alternatives.enumerated() {
      let changed = members.merging([alternative.member: alternative.value]) { $1 }
      var other = model
      guard let network = try? architecture.network(.object(changed)),
        network.graph.parameters == model.graph.parameters
      else { continue }
      other.graph = network.graph
      guard let found = ImportProbe.result(of: other), found.count == values.count else { continue }
      // As an image has them.
      func clamped(_ value: Float) -> Float { min(max(value, 0), 1) }
      let largest = zip(values, found).map { abs(clamped($0) - clamped($1)) }.max() ?? 0
      if largest.isFinite { report.alternatives[place].difference = Double(largest) }
    }
    return report
  }

  /// What the network makes of a natural image, in values from 0 to 1; nil where none can be run.
  private static func result(of model: Model) -> [Float]? {
    guard model.graph.inputs.count == 1,
      let scale = model.scales.first ?? (model.picture.enlargeFirst == .no ? nil : 2),
      let upscaler = try? Upscaler(model, scale: scale, options: UpscalerOptions(threads: 1)),
      let size = side(of: model.graph), let input = try? image(size, for: model.picture),
      let output = try? upscaler.run(input)
    else { return nil }
    // By planes: a channel has its own mean.
    let planes = output.shape.count == 3 ? output.shape[0] : 1
    let count = output.count / max(planes, 1)
    return output.floats.enumerated().map { place, value in
      let (factor, offset) = model.picture.resultScaling(
        channel: min(place / max(count, 1), model.graph.inputs[0].channels - 1))
      return (value - offset) / factor
    }
  }

  /// A side that the network takes.
  private static func side(of graph: Graph) -> Size? {
    let rule = graph.sizeRule()
    if let size = rule.size { return size.height * size.width <= 1 << 14 ? size : nil }
    let multiple = rule.exactMultiple
    let side = (max(rule.minimum, 32) + multiple - 1) / multiple * multiple
    return side <= 128 ? Size(side) : nil
  }

  /// Slopes, edges and texture, in the network's values: [channels, rows, columns].
  private static func image(_ size: Size, for picture: ImageSpec) throws -> Tensor {
    var values: [Float] = []
    for channel in 0..<picture.colour.channels {
      let (factor, offset) = picture.scaling(channel: channel)
      for row in 0..<size.height {
        for column in 0..<size.width {
          let slope = Float(row + 2 * column) / Float(size.height + 2 * size.width)
          let edge: Float = (row / 11 + column / 7) % 2 == 0 ? 0.15 : -0.15
          let texture = Float((row * 7 + column * 13 + channel * 5) % 17) / 170 - 0.05
          values.append(min(max(0.2 + 0.6 * slope + edge + texture, 0), 1) * factor + offset)
        }
      }
    }
    return try Tensor(shape: [picture.colour.channels, size.height, size.width], values)
  }
}
