import AviaryGraph
import AviaryTensor
import AviaryTestSupport
import Synchronization
import Testing

@testable import AviaryTraining

/// Batches come in order and are the same, whoever prepares them.
@Suite struct DataLoaderTests {
  private static func set(workers: Int, _ folder: borrowing TemporaryFolder) throws -> TrainingSet {
    try DataFixture.write(try DataFixture.waves(30, 26), "a.png", in: folder)
    var data = DataRecipe(targets: folder.path)
    data.degradations = [.noise(deviation: 1...20)]
    var recipe = DataFixture.recipe(size: 5, augmented: true)
    recipe.workers = workers
    return try TrainingSet(
      data, recipe, picture: ImageSpec(.rgb), geometry: DataFixture.geometry(), seed: 9)
  }

  @Test(arguments: [0, 1, 3])
  func batchesDoNotDependOnThreads(_ workers: Int) throws {
    let folder = try TemporaryFolder()
    let set = try DataLoaderTests.set(workers: workers, folder)
    let loader = BatchLoader(set)
    // A training that goes on after step 4.
    let later = BatchLoader(set, from: 4)
    for step in 0..<10 {
      let batch = try loader.next(), expected = try set.batch(step: step)
      #expect(batch.input == expected.input)
      #expect(batch.target == expected.target)
      if step >= 4 { #expect(try later.next().input == expected.input) }
    }
    #expect(loader.waited > .zero)
  }

  @Test func ranksShareABatch() throws {
    let folder = try TemporaryFolder()
    let set = try DataLoaderTests.set(workers: 1, folder)
    let whole = try set.batch(step: 7)
    let parts = try (0..<2).map { try BatchLoader(set, from: 7, rank: $0, of: 2).next() }
    #expect(parts.map(\.input.shape[0]) == [2, 3])
    #expect(parts.flatMap(\.input.floats) == whole.input.floats)
    #expect(parts.flatMap(\.target.floats) == whole.target.floats)
  }

  @Test(arguments: [0, 2])
  func errorsReachWhoAsks(_ workers: Int) throws {
    let empty = Batch(input: try Tensor(zeros: [0]), target: try Tensor(zeros: [0]))
    let problem = TrainingError.data(path: "a", expected: "b", found: "c")
    let loader = BatchLoader(workers: workers, from: 0) { (step) throws(TrainingError) in
      if step == 3 { throw problem }
      return empty
    }
    for _ in 0..<3 { #expect(try loader.next().input.count == 0) }
    #expect(throws: problem) { try loader.next() }
    #expect(throws: problem) { try loader.next() }
  }

  /// No more is prepared than the queue holds, and nothing goes on afterwards.
  @Test func nothingIsLeftRunning() throws {
    let made = Mutex<[Int]>([])
    let empty = Batch(input: try Tensor(zeros: [0]), target: try Tensor(zeros: [0]))
    var loader: BatchLoader? = BatchLoader(workers: 2, from: 0) { (step) throws(TrainingError) in
      made.withLock { $0.append(step) }
      return empty
    }
    for _ in 0..<20 { _ = try loader?.next() }
    loader = nil
    let steps = made.withLock { $0.sorted() }
    #expect(steps.count <= 23)
    #expect(steps == Array(0..<steps.count))
  }
}
