internal import ArgumentParser
internal import Aviary
internal import AviaryFiles
internal import AviaryImage
internal import AviaryTraining
internal import FoundationEssentials

/// Prints what fast algorithms cost in accuracy, for each of some checkpoints: on the images of a
/// folder, the largest difference from what exact ones give, and the difference in PSNR.
struct AccuracyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accuracy", abstract: "Compares fast algorithms with exact ones.")

  @Argument(help: "A folder of images, such as Set5.")
  var images: String

  @Argument(help: "Checkpoints.")
  var checkpoints: [String]

  func run() throws {
    print(
      "| checkpoint | largest difference / largest value | PSNR, exact, dB | fast - exact, dB |")
    print("|---|---|---|---|")
    let names = try FileManager.default.contentsOfDirectory(atPath: images).sorted()
      .filter { $0.hasSuffix(".png") || $0.hasSuffix(".jpg") }
    for path in checkpoints {
      let model = try Model(checkpoint: path)
      let scale = model.scales.max() ?? 1
      let ways = try [true, false].map {
        try Upscaler(model, scale: scale, options: UpscalerOptions(exact: $0))
      }
      var largest = 0.0
      for name in names {
        let image = try Image(contentsOf: "\(images)/\(name)")
        let results = try ways.map { try $0.enlarge(image) }
        largest = max(largest, difference(results[1], from: results[0]))
      }
      // A network of scale 1 has something else to restore than what was left out.
      let noise: [DataRecipe.Degradation] = scale == 1 ? [.noise(deviation: 25...25)] : []
      let quality = try [true, false].map {
        try Evaluation(
          model, originals: images, scale: scale, degradations: noise,
          options: UpscalerOptions(exact: $0)
        ).mean.psnr
      }
      let cells = [
        path.fileName, "\(largest)",
        quality[0].text(4), "\(quality[1] - quality[0])",
      ]
      print("| \(cells.joined(separator: " | ")) |")
    }
  }

  /// The largest difference as a part of the largest value.
  private func difference(_ image: Image, from expected: Image) -> Double {
    unsafe image.withFloats { found in
      unsafe expected.withFloats { expected in
        var (largest, most) = (Float(0), Float(0))
        for i in expected.indices {
          unsafe largest = max(largest, abs(found[i] - expected[i]))
          unsafe most = max(most, abs(expected[i]))
        }
        return Double(largest / most)
      }
    }
  }
}
