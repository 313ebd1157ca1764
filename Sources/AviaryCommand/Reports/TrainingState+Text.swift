import AviaryCheckpoint

extension TrainingState {
  /// In words, for people who look at a checkpoint.
  func describe(in sheet: inout FactSheet) {
    if let progress {
      sheet.add("Training", progress.text)
      sheet.add("Recipe", progress.recipeLine)
      sheet.add("Trained by", progress.circumstances)
    }
    sheet.add("Optimiser", optimizer?.text)
    sheet.add("Adversary", adversary.map { "\($0.weights.count) tensors" })
  }
}

extension TrainingProgress {
  /// The progress so far: "step 200, best 37.53 at step 150, 3200 pairs, 45 s".
  fileprivate var text: String {
    let parts = [
      "step \(step)", best.map { "best \(NumberText.fixed($0.figure, 2)) at step \($0.step)" },
      "\(samples) pairs", "\(NumberText.fixed(seconds, 0)) s",
    ]
    return parts.compactMap { $0 }.joined(separator: ", ")
  }

  /// The recipe, however many lines its text has, in one.
  fileprivate var recipeLine: String {
    recipe.split(whereSeparator: \.isNewline).map { $0.trimmed }.filter { !$0.isEmpty }
      .joined(separator: ", ")
  }

  /// What exact reproduction depends on apart from the recipe.
  fileprivate var circumstances: String {
    let several = processes.map { "\($0) processes of " } ?? ""
    return "\(program), \(several)\(threads) thread\(threads == 1 ? "" : "s"), "
      + "data \(dataFingerprint)"
  }
}

extension Substring {
  /// Without the spaces at either end.
  fileprivate var trimmed: Substring {
    let start = drop { $0 == " " }
    return start[..<(start.lastIndex { $0 != " " }.map(start.index(after:)) ?? start.startIndex)]
  }
}
