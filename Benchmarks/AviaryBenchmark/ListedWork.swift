internal import ArgumentParser

/// Which work of works.json a command is about, and where its models lie.
struct ListedWork: ParsableArguments {
  @Argument(help: "The list, works.json.")
  var list: String

  @Argument(help: "The folder of models, as Benchmarks/run fills it.")
  var models: String

  @Argument(help: "The work's place in the list.")
  var position: Int

  /// - Throws: `ValidationError` for a place that the list does not have; what reading it throws.
  func work() throws -> Work {
    let works = try Work.all(list)
    guard works.indices.contains(position) else {
      throw ValidationError("work: expected 0 to \(works.count - 1), found \(position)")
    }
    return works[position]
  }
}
