internal import AviaryFiles
internal import AviaryImage

/// What a training logs to its run folder: the table `log.csv` and an event file for TensorBoard. A
/// process that is killed leaves all rows that it wrote.
package struct RunLog: ~Copyable {
  /// The figures of a step.
  package struct Step: Sendable {
    /// Steps done, from 1.
    package var step: Int
    /// The duration of the step.
    package var seconds: Double
    /// The loss, and its parts in the order of the recipe.
    package var loss: Double
    /// The parts named when the log was opened; others are left out of the table.
    package var parts: [(name: String, value: Double)]
    /// The learning rate.
    package var rate: Double
    /// The Euclidean norm of the gradient before clipping.
    package var gradientNorm: Double
    /// The share of the time, 0 to 1, that was spent waiting for batches.
    package var waiting: Double

    /// A step.
    package init(
      _ step: Int, seconds: Double, loss: Double, parts: [(name: String, value: Double)],
      rate: Double, gradientNorm: Double, waiting: Double
    ) {
      (self.step, self.seconds, self.loss, self.parts) = (step, seconds, loss, parts)
      (self.rate, self.gradientNorm, self.waiting) = (rate, gradientNorm, waiting)
    }
  }

  /// The figures of a validation.
  package struct Quality: Hashable, Sendable {
    /// In dB, of the network and of bicubic enlargement.
    package var psnr: Double, bicubicPSNR: Double
    /// At most 1.
    package var ssim: Double, bicubicSSIM: Double

    /// Figures.
    package init(psnr: Double, ssim: Double, bicubicPSNR: Double, bicubicSSIM: Double) {
      (self.psnr, self.bicubicPSNR) = (psnr, bicubicPSNR)
      (self.ssim, self.bicubicSSIM) = (ssim, bicubicSSIM)
    }
  }

  private let table: GrowingFile
  private let columns: [String]
  private let events: EventFile

  /// Opens the logs of a run.
  ///
  /// - Parameters:
  ///   - folder: the run folder, which exists.
  ///   - step: the step that the training resumes from, 0 for a new one: later rows are removed.
  ///   - parts: the names of the losses.
  /// - Throws: `TrainingError.cannotWrite`; `.data` if the table to be continued is not a log, or
  ///   belongs to another training.
  package init(in folder: String, step: Int, parts: [String]) throws(TrainingError) {
    let path = "\(folder)/\(LogTable.name)"
    var unique: [String] = []
    // Two losses of one kind share a column, which holds their sum.
    for name in parts where !unique.contains(name) { unique.append(name) }
    let columns = LogTable.columns(parts: unique)
    var kept = 0
    if step > 0, let file = try? InputFile(path), file.byteCount > 0 {
      let log = try LogTable(contentsOf: path, upTo: step)
      guard log.columns == columns else {
        throw .data(
          path: "\(path):1", expected: "columns step,\(columns.joined(separator: ","))",
          found: "step,\(log.columns.joined(separator: ","))".printable)
      }
      kept = log.wholeBytes
    }
    let table = try GrowingFile(path, keeping: kept)
    if kept == 0 { try table.append(Array("step,\(columns.joined(separator: ","))\n".utf8)) }
    events = try EventFile(in: folder, step: step)
    self.columns = columns
    self.table = table
  }

  /// Writes a step.
  ///
  /// - Throws: `TrainingError.cannotWrite`.
  package func append(_ step: Step) throws(TrainingError) {
    var values = [
      "seconds": step.seconds, "loss": step.loss, "rate": step.rate,
      "gradient": step.gradientNorm, "waiting": step.waiting,
    ]
    for part in step.parts { values["loss/\(part.name)", default: 0] += part.value }
    try write(step: step.step, values)
  }

  /// Writes a validation after a step.
  ///
  /// - Parameter samples: PNG files written with it; one that cannot be read is left out of the
  ///   events.
  /// - Throws: `TrainingError.cannotWrite`.
  package func append(
    step: Int, _ quality: Quality, samples: [String] = []
  ) throws(TrainingError) {
    try write(
      step: step,
      [
        "psnr": quality.psnr, "ssim": quality.ssim, "bicubic-psnr": quality.bicubicPSNR,
        "bicubic-ssim": quality.bicubicSSIM,
      ])
    try events.append(step: step, samples: samples.compactMap { RunLog.sample($0) })
  }

  private func write(step: Int, _ values: [String: Double]) throws(TrainingError) {
    try table.append(Array(LogTable.line(step: step, values, columns: columns).utf8))
    try events.append(
      step: step, columns.compactMap { name in values[name].map { (name, $0) } })
  }

  private static func sample(_ path: String) -> EventFile.Sample? {
    guard let file = try? InputFile(path), let image = try? Image(contentsOf: path),
      let png = try? file.bytes(at: 0, count: file.byteCount)
    else { return nil }
    return EventFile.Sample(
      name: path.fileName.withoutStep, width: image.width, height: image.height,
      channels: image.channels,
      png: png)
  }
}

extension String {
  /// The name without the prefix `step-000123-`: one image's results at all steps share a name.
  fileprivate var withoutStep: String {
    let parts = split(separator: "-", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "step", Int(parts[1]) != nil else { return self }
    return String(parts[2])
  }
}
