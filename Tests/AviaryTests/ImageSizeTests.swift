@testable import Aviary
import AviaryCheckpoint
import AviaryGraph
import AviaryImage
import AviaryTensor
import AviaryTestSupport
import Testing

/// Sizes that networks take as they stand, padded, or not at all.
@Suite struct ImageSizeTests {
  private func model(_ graph: Graph, _ picture: ImageSpec) -> Model {
    let weights = randomWeights(for: graph, seed: 3)
    return Model(
      Network(architecture: "test", configuration: [:], graph: graph, picture: picture),
      weights: NamedTensors(
        graph.parameters.compactMap { parameter in
          weights[parameter.name].map { (parameter.name, $0) }
        }))
  }

  private func run(_ model: Model, _ image: Image, tile: Int? = nil) throws -> Image {
    var options = UpscalerOptions(threads: 1, exact: true)
    options.tile = tile
    return try Upscaler(model, options: options).enlarge(image)
  }

  /// At multiples of two only; what is beyond the edge is seen by a convolution.
  private func halving(_ padding: ImageSpec.Padding) throws -> Model {
    let graph = try Graph(channels: 1) { x in
      [
        x.applying(.pixelUnshuffle(PixelUnshuffle(factor: 2, order: .pytorch))).convolution(
          "a", 6, kernel: 3
        )
        .convolution("b", 4, kernel: 3).pixelShuffle(2)
      ]
    }
    return model(graph, ImageSpec(.gray, padding: padding))
  }

  /// The image padded beforehand gives what the image gives.
  @Test(arguments: ImageSpec.Padding.allCases) func paddings(_ padding: ImageSpec.Padding) throws {
    let model = try halving(padding)
    let image = Models.picture(height: 21, width: 27, .gray)
    var larger = try Image(width: 28, height: 22, format: image.format)
    for row in 0..<22 {
      for column in 0..<28 {
        func place(_ i: Int, _ size: Int) -> Int? {
          if i < size { return i }
          switch padding {
          case .edge, .symmetric: return size - 1
          case .reflect: return size - 2
          case .zero: return nil
          }
        }
        guard let y = place(row, 21), let x = place(column, 27) else { continue }
        larger[0, row, column] = image[0, y, x]
      }
    }
    let expected = try run(model, larger).cropped(x: 0, y: 0, width: 27, height: 21)
    #expect(try run(model, image).largestDifference(from: expected) <= 1e-6)
    // In tiles too.
    let wide = Models.picture(height: 97, width: 131, .gray)
    let whole = try run(model, wide, tile: 4_096), tiled = try run(model, wide, tile: 16)
    #expect(try whole.largestDifference(from: tiled) <= 1e-5)
  }

  /// An output of other channels than the image's cannot be added to it.
  @Test(arguments: [ImageSpec.Output.residual, .noise])
  func whatIsAddedHasTheImagesChannels(_ output: ImageSpec.Output) throws {
    let graph = try Graph(channels: 3) { x in [x.convolution("a", 1, kernel: 3)] }
    let upscaler = try Upscaler(
      model(graph, ImageSpec(.rgb, output: output)), options: UpscalerOptions(threads: 1))
    #expect {
      try upscaler.run(Tensor(zeros: [1, 3, 4, 5]))
    } throws: { "\($0)" == "test: expected 3 channels for a \(output.rawValue), found 1" }
  }

  /// An autoencoder for 28x28 pixels is given those and nothing else.
  @Test func whatFitsIsNotPadded() throws {
    let graph = try Graph(channels: 1) { x in
      [
        x.convolution("a", 4, kernel: 3).maxPool(2, padding: .same).maxPool(2, padding: .same)
          .maxPool(2, padding: .same).resize(.nearest, by: 2).resize(.nearest, by: 2)
          .convolution("c", 4, kernel: 3, padding: .valid).resize(.nearest, by: 2)
          .convolution("d", 1, kernel: 3)
      ]
    }
    let free = model(graph, ImageSpec(.gray))
    // The same with its size stated, which leaves no choice.
    let fixed = Graph.Input(
      graph.inputs[0].name, channels: 1, size: Size(28))
    let stated = model(
      try Graph(inputs: [fixed], nodes: graph.nodes, outputs: graph.outputs), ImageSpec(.gray))
    let image = Models.picture(height: 28, width: 28, .gray)
    #expect(try run(free, image).largestDifference(from: run(stated, image)) <= 1e-6)
    // Another size is refused, and the one that it takes is said.
    #expect {
      try run(stated, Models.picture(height: 27, width: 30, .gray))
    } throws: { "\($0)" == "test: expected an image of 28x28, found 30x27" }
    // Sizes between are padded to those.
    let result = try run(free, Models.picture(height: 27, width: 45, .gray))
    #expect(result.height == 27 && result.width == 45)
  }

  /// A scale that no ratio of operations shows.
  @Test func scaleByTrial() throws {
    let graph = try Graph(channels: 1) { x in
      [
        x.applying(.permute(Permute([0, 2, 3, 1]))).linear("l", 4).applying(
          .permute(Permute([0, 3, 1, 2]))
        )
        .pixelShuffle(2)
      ]
    }
    let result = try run(model(graph, ImageSpec(.gray)), Models.picture(height: 5, width: 9, .gray))
    #expect(result.height == 10 && result.width == 18)
  }
}
