internal import AviaryGraph
internal import AviaryImage

/// What the channels of a network's result are as an image.
enum ResultChannels: Hashable {
  /// The input's colours, which become the image's again.
  case input
  /// Gray, RGB, or RGB with alpha, whatever went in.
  case image(PixelFormat)

  /// How a network's result is written.
  ///
  /// - Parameters:
  ///   - channels: of the network's result.
  ///   - depth: of the image.
  /// - Throws: `AviaryError.channels` for channels that are no image's.
  init(_ model: Model, channels: Int, depth: BitDepth) throws(AviaryError) {
    let inputs = model.graph.inputs[0].channels
    let picture = model.picture
    if let problem = Graph.imageProblem(inputs: inputs, outputs: channels) {
      throw .channels(model: model.name, problem)
    }
    if channels == inputs {
      self =
        picture.colour == .rgba
        ? .image(PixelFormat(.rgb, hasAlpha: true, bitDepth: depth)) : .input
      return
    }
    // What mean and deviation are to other channels nobody says.
    guard picture.output == .picture, picture.mean.isEmpty, picture.deviation.isEmpty,
      [.rgb, .rgba, .gray, .luma].contains(picture.colour)
    else {
      throw .channels(
        model: model.name,
        "\(inputs) channels in and \(channels) out go with an image description of gray, luma, rgb "
          + "or rgba without mean and deviation only")
    }
    let color: ColorModel = channels == 1 ? .gray : .rgb
    self = .image(PixelFormat(color, hasAlpha: channels == 4, bitDepth: depth))
  }
}

extension ImageSpec {
  /// The customary image for a network: what gives colours is given gray and not luma.
  init(of graph: Graph) {
    self.init(channels: graph.inputs[0].channels)
    if colour == .luma, let channels = graph.outputChannels(Ratio(1)), channels > 1 {
      colour = .gray
    }
  }
}

extension Graph {
  /// Why no image can be run through a network of so many channels; nil where one can.
  static func imageProblem(inputs: Int, outputs: Int) -> String? {
    for (channels, verb) in [(inputs, "takes"), (outputs, "gives")]
    where ![1, 3, 4].contains(channels) {
      return
        "the network \(verb) \(channels) channels; images have 1 (gray), 3 (RGB) or 4 (RGB and "
        + "alpha)"
    }
    return nil
  }

  /// Why no image can be run through the network; nil where one can, and where its result is no image.
  package var imageProblem: String? {
    outputChannels(Ratio(1)).flatMap {
      Graph.imageProblem(inputs: inputs[0].channels, outputs: $0)
    }
  }
}
