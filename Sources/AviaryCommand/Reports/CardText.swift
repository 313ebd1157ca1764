import AviaryCheckpoint

extension Card {
  /// Adds the model card to a fact sheet.
  func describe(in sheet: inout FactSheet) {
    sheet.add("Licence", licence ?? "not stated")
    sheet.add("Trained on", trainingData)
    if let training {
      sheet.add(
        "Training", "\(training.steps) steps, seed \(training.seed), by \(training.program)")
    }
    if let quantization {
      let kept = quantization.kept
      sheet.add(
        "Quantised",
        [
          "\(quantization.layers) convolutions to int8, \(kept.count) kept"
            + (kept.isEmpty ? "" : ": \(kept.joined(separator: ", "))"),
          "calibrated with \(quantization.pictures) pictures of \(quantization.data), on which "
            + "\(NumberText.fixed(quantization.loss, 3)) dB of "
            + "\(NumberText.fixed(quantization.psnr, 2)) are lost",
        ])
    }
    sheet.add(
      "Quality",
      quality.map { entry in
        "\(entry.set) x\(entry.scale): \(NumberText.fixed(entry.psnr, 2)) dB"
          + (entry.ssim.map { ", SSIM \(NumberText.fixed($0, 4))" } ?? "") + " (\(entry.measured))"
      })
    sheet.add("Provenance", provenance.flatMap(\.lines))
    sheet.add("Notes", notes)
  }
}

extension Card.Provenance {
  /// The source, followed by what was done to it.
  fileprivate var lines: [String] {
    ["\(file) (\(format))"] + (sha256.map { ["  sha256:\($0)"] } ?? [])
      + conversions.map { "  \($0)" } + assumptions.map { "  assumed: \($0)" }
  }
}
