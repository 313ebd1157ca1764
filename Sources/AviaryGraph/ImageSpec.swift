/// How a network takes images and gives them back: what no tensor shows. It lies in the
/// checkpoint; the architecture gives the default, and the user may state it on import.
public struct ImageSpec: Hashable, Sendable {
  /// What the channels of the network's input are.
  public enum Colour: String, CaseIterable, Codable, Hashable, Sendable {
    case rgb
    /// RGB and alpha, which the network sees: straight, 0 transparent.
    case rgba
    /// One channel of gray; colour images are run channel by channel.
    case gray
    /// The luma of BT.601 in studio range, 16/255 to 235/255; chroma is left to bicubic.
    case luma
    /// Luma and chroma of BT.601 in studio range (MATLAB's rgb2ycbcr).
    case ycbcr
    /// Luma and chroma in full range, as in JPEG files.
    case ycbcrJPEG = "ycbcr-jpeg"

    /// The number of channels.
    public var channels: Int {
      switch self {
      case .gray, .luma: 1
      case .rgb, .ycbcr, .ycbcrJPEG: 3
      case .rgba: 4
      }
    }
  }

  /// Whether an image is enlarged before the network sees it.
  public enum Enlargement: String, CaseIterable, Codable, Hashable, Sendable {
    /// The network enlarges.
    case no
    /// The image is enlarged by the requested scale, bicubically, and the network refines it.
    case bicubic
  }

  /// What the network's output is.
  public enum Output: String, CaseIterable, Codable, Hashable, Sendable {
    /// The image itself.
    case picture
    /// What is to be added to the network's input.
    case residual
    /// What is to be subtracted from the network's input: noise (DnCNN).
    case noise
  }

  /// What stands beyond the edges where a network wants a larger image than there is: as many
  /// pixels as it lacks, cut off again afterwards. References differ.
  public enum Padding: String, CaseIterable, Codable, Hashable, Sendable {
    /// The pixel at the edge, repeated.
    case edge
    /// The image mirrored at the pixel on its edge, which is not repeated.
    case reflect
    /// The image mirrored at its edge, the pixel on it repeated.
    case symmetric
    /// Black.
    case zero
  }

  /// What the channels are.
  public var colour: Colour
  /// What black and white are to the network, before mean and deviation.
  public var range: ClosedRange<Double>
  /// What black and white are in what the network gives, where they are others than in what it
  /// takes; nil where they are the same, mean and deviation included.
  public var outputRange: ClosedRange<Double>?
  /// Subtracted from each channel; empty for nothing.
  public var mean: [Double]
  /// What each channel is divided by, after the mean; empty for nothing.
  public var deviation: [Double]
  /// What comes out.
  public var output: Output
  /// Whether the image is enlarged first.
  public var enlargeFirst: Enlargement
  /// The scales that the weights serve, where more than the network's own (VDSR: 2, 3, 4); empty
  /// for the network's own.
  public var scales: [Int]
  /// What stands beyond the edges.
  public var padding: Padding

  /// A network that takes and gives images with values from 0 to 1, unless stated.
  public init(
    _ colour: Colour, range: ClosedRange<Double> = 0...1, mean: [Double] = [],
    deviation: [Double] = [], output: Output = .picture, enlargeFirst: Enlargement = .no,
    scales: [Int] = [], padding: Padding = .edge
  ) {
    self.colour = colour
    self.range = range
    self.mean = mean
    self.deviation = deviation
    self.output = output
    self.enlargeFirst = enlargeFirst
    self.scales = scales
    self.padding = padding
  }

  /// The customary image for so many channels: one means luma, three RGB, four RGB and alpha.
  public init(channels: Int) {
    self.init(channels == 1 ? .luma : channels == 4 ? .rgba : .rgb)
  }
}

extension ImageSpec {
  /// Checks that a network can take such images.
  ///
  /// - Throws: `GraphError.member` for colours of other channels than the network's input has.
  public func check(against graph: Graph) throws(GraphError) {
    let channels = graph.inputs[0].channels
    guard colour.channels == channels else {
      throw .member(
        "picture.colour", expected: "colours of \(channels) channel\(channels == 1 ? "" : "s")",
        found: "'\(colour.rawValue)'")
    }
  }
}

// MARK: - JSON

extension ImageSpec {
  /// The image as JSON; members that have their default are left out, save the colour.
  public var json: JSON {
    var members: [String: JSON] = ["colour": .string(colour.rawValue)]
    if range != 0...1 {
      members["range"] = .array([.number(range.lowerBound), .number(range.upperBound)])
    }
    if let outputRange {
      members["outputRange"] = .array([
        .number(outputRange.lowerBound), .number(outputRange.upperBound),
      ])
    }
    if !mean.isEmpty { members["mean"] = .array(mean.map(JSON.number)) }
    if !deviation.isEmpty { members["deviation"] = .array(deviation.map(JSON.number)) }
    if output != .picture { members["output"] = .string(output.rawValue) }
    if enlargeFirst != .no { members["enlargeFirst"] = .string(enlargeFirst.rawValue) }
    if !scales.isEmpty { members["scales"] = .ints(scales) }
    if padding != .edge { members["padding"] = .string(padding.rawValue) }
    return .object(members)
  }

  /// Reads an image from JSON.
  ///
  /// - Throws: `GraphError` for a member that is unknown, of another type, or out of range.
  public init(json: JSON) throws(GraphError) {
    let members = try Members("picture", json)
    try members.refuse(
      allBut: [
        "colour", "range", "outputRange", "mean", "deviation", "output", "enlargeFirst", "scales",
        "padding",
      ])
    func word<T: RawRepresentable & CaseIterable>(
      _ name: String, default absent: T?
    ) throws(GraphError) -> T where T.RawValue == String {
      let words = T.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      if let absent, members[name] == nil { return absent }
      let word = try members.required(name, "one of \(words)", \.string)
      guard let value = T(rawValue: word) else {
        throw .member("picture.\(name)", expected: "one of \(words)", found: "'\(word)'")
      }
      return value
    }
    func numbers(_ name: String) throws(GraphError) -> [Double] {
      guard let member = members[name] else { return [] }
      guard let numbers = member.numbers, numbers.allSatisfy(\.isFinite) else {
        throw .member("picture.\(name)", expected: "an array of numbers", found: member.excerpt)
      }
      return numbers
    }
    let colour: Colour = try word("colour", default: nil)
    func range(_ name: String) throws(GraphError) -> ClosedRange<Double>? {
      let range = try numbers(name)
      guard range.isEmpty || range.count == 2 && range[0] < range[1] else {
        throw .member("picture.\(name)", expected: "[black, white], rising", found: "\(range)")
      }
      return range.isEmpty ? nil : range[0]...range[1]
    }
    let stated = try range("range"), outputRange = try range("outputRange")
    let mean = try numbers("mean")
    let deviation = try numbers("deviation")
    for (name, values) in [("mean", mean), ("deviation", deviation)]
    where !values.isEmpty && values.count != colour.channels {
      throw .member(
        "picture.\(name)", expected: "\(colour.channels) numbers", found: "\(values.count)")
    }
    guard deviation.allSatisfy({ $0 > 0 }) else {
      throw .member("picture.deviation", expected: "numbers above 0", found: "\(deviation)")
    }
    let scales = members["scales"] ?? []
    guard let scales = scales.ints, scales.allSatisfy((1...64).contains) else {
      throw .member(
        "picture.scales", expected: "an array of integers from 1 to 64", found: scales.excerpt)
    }
    let output = try word("output", default: Output.picture)
    guard outputRange == nil || output == .picture else {
      throw .member(
        "picture.outputRange", expected: "an output that is the image itself",
        found: "'\(output.rawValue)'")
    }
    self.init(
      colour, range: stated ?? 0...1, mean: mean, deviation: deviation, output: output,
      enlargeFirst: try word("enlargeFirst", default: Enlargement.no), scales: scales,
      padding: try word("padding", default: Padding.edge))
    self.outputRange = outputRange
  }
}

extension ImageSpec {
  /// How a value from 0 to 1 becomes the network's: value · factor + offset.
  package func scaling(channel: Int) -> (factor: Float, offset: Float) {
    let deviation = deviation.isEmpty ? 1 : deviation[channel]
    let mean = mean.isEmpty ? 0 : mean[channel]
    return (
      Float((range.upperBound - range.lowerBound) / deviation),
      Float((range.lowerBound - mean) / deviation)
    )
  }

  /// How a value from 0 to 1 stands in what the network gives: value · factor + offset.
  package func resultScaling(channel: Int) -> (factor: Float, offset: Float) {
    guard let outputRange else { return scaling(channel: channel) }
    return (
      Float(outputRange.upperBound - outputRange.lowerBound), Float(outputRange.lowerBound)
    )
  }
}
