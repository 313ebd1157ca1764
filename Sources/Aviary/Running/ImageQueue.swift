internal import AviaryFiles
internal import AviaryImage
internal import AviaryThreads
internal import FoundationEssentials

/// One of several images to enlarge.
public struct ImageJob: Sendable {
  /// The file to read.
  public var input: String
  /// The file to write, or why there is none.
  public var output: Result<String, any Error>

  /// An image.
  public init(input: String, output: Result<String, any Error>) {
    (self.input, self.output) = (input, output)
  }
}

/// What is told while several images are enlarged.
public enum ImageEvent {
  /// This image's header was read: its columns and rows. Not told of images that are computed
  /// beside others.
  case opened(Int, width: Int, height: Int)
  /// A share, 0 to 1, of this image is done.
  case progress(Int, Double)
  /// This image is done, or failed. Images are told of in their order.
  case finished(Int, Result<UpscaleReport, any Error>)
}

/// Several images on several threads.
///
/// A small image goes through all its stages on one thread, others beside it:
/// while one is decoded another is computed and a third written, and no thread waits for the others
/// of its image. What is larger has all threads for itself, as has an image when no other is left.
final class ImageQueue: Sendable {
  private let upscaler: Upscaler
  private let jobs: [ImageJob]
  private let single: InferenceContext
  private let state: Monitor<State>

  /// Pixels of a small image: worth no more than one thread where others wait, for it takes a
  /// second or two of a large network.
  private static let small = 1 << 19

  private struct State {
    /// The next image to begin with.
    var next = 0
    /// Images that were begun with and are not done.
    var unfinished = 0
    /// Images that are computed, each on one thread.
    var besides = 0
    /// What they take of the memory.
    var byteCount = 0
    /// Whether one image has all threads.
    var isTaken = false
    /// How many images wait for all threads. None is begun beside others until they had them.
    var waiting = 0
    /// What is done and not told yet.
    var results: [Int: Result<UpscaleReport, any Error>] = [:]
    /// The last progress that was not told yet.
    var progress: (Int, Double)?
  }

  init(_ upscaler: Upscaler, _ jobs: [ImageJob]) throws {
    self.upscaler = upscaler
    self.jobs = jobs
    single = try upscaler.context.single
    state = Monitor(State())
  }

  /// Enlarges them all and tells of them in their order.
  ///
  /// - Parameter report: what it throws ends the rest: images that are begun are finished.
  func run(_ report: (ImageEvent) throws -> Void) throws {
    // One more than there are cores for: files are waited for, too.
    let workers = (0..<min(upscaler.context.threads + 1, jobs.count)).compactMap { _ in
      BackgroundTask<Void, Never>(onThread: { while self.doNext() {} })
    }
    defer {
      state.withLock { $0.next = jobs.count }
      workers.forEach { $0.join() }
    }
    // Without a thread to be had, this one does it.
    if workers.isEmpty { while doNext() {} }
    var told = 0
    while told < jobs.count {
      let event: ImageEvent = state.wait { state in
        if let result = state.results.removeValue(forKey: told) { return .finished(told, result) }
        guard let (position, share) = state.progress else { return nil }
        state.progress = nil
        return .progress(position, share)
      }
      if case .finished = event { told += 1 }
      try report(event)
    }
  }

  /// Does the next image; says whether there was one.
  private func doNext() -> Bool {
    let position: Int? = state.withLock { state in
      guard state.next < jobs.count else { return nil }
      defer { state.next += 1 }
      state.unfinished += 1
      return state.next
    }
    guard let position else { return false }
    let result = Result { try enlarge(position) }
    state.withLock {
      $0.results[position] = result
      $0.unfinished -= 1
    }
    return true
  }

  private func enlarge(_ position: Int) throws -> UpscaleReport {
    let path = try jobs[position].output.get()
    let input = jobs[position].input
    let start = ContinuousClock.now
    var reader = try ImageReader(path: input)
    let header = reader.header
    // What is large will have all threads, and is planned for them alone.
    let isSmall = header.width * header.height <= ImageQueue.small
    let besides = isSmall ? try upscaler.pipeline(header, single) : nil
    let byteCount = besides?.inference.arenaBytes ?? 0
    let isBesides = begin(isSmall: isSmall, byteCount)
    guard let besides, isBesides else {
      defer { state.withLock { $0.isTaken = false } }
      let context = try upscaler.context.here
      let pipeline = try upscaler.pipeline(header, context)
      return try pipeline.run(
        &reader, to: path, threads: context.threads, start: start,
        warnings: upscaler.warnings(input, header, pipeline)
      ) { share in self.state.withLock { $0.progress = (position, share) } }
    }
    defer {
      state.withLock {
        $0.besides -= 1
        $0.byteCount -= byteCount
      }
    }
    return try besides.run(
      &reader, to: path, threads: single.threads, start: start,
      warnings: upscaler.warnings(input, header, besides), progress: { _ in })
  }

  /// Waits until an image may be computed; says whether on one thread, beside others.
  private func begin(isSmall: Bool, _ byteCount: Int) -> Bool {
    let most = upscaler.context.allowance.wanted
    var isCounted = false
    return state.wait { state in
      let isLast = state.next >= jobs.count && state.unfinished == 1
      if isSmall, !isCounted, !isLast, byteCount <= most / 2 {
        // Beside others as soon as there is memory.
        guard !state.isTaken, state.waiting == 0, state.byteCount + byteCount <= most else {
          return nil
        }
        state.besides += 1
        state.byteCount += byteCount
        return true
      }
      if !isCounted { state.waiting += 1 }
      isCounted = true
      guard !state.isTaken, state.besides == 0 else { return nil }
      state.waiting -= 1
      state.isTaken = true
      return false
    }
  }
}

extension Upscaler {
  /// Enlarges several image files, small ones several at a time, with the same results as one by
  /// one. An image that fails does not stop the others.
  ///
  /// - Parameter report: is told what happens, on the calling thread.
  /// - Throws: what `report` throws; `ComputeError` where no engine is to be had.
  public func enlarge(
    _ jobs: [ImageJob], report: (ImageEvent) throws -> Void
  ) throws {
    guard jobs.count > 1, context.threads > 1 else {
      for (position, job) in jobs.enumerated() {
        var failure: (any Error)?
        let result = Result {
          func tell(_ event: ImageEvent) {
            do { try report(event) } catch { failure = error }
          }
          return try enlarge(
            from: job.input, to: job.output.get(),
            progress: { tell(.progress(position, $0)) },
            opened: { tell(.opened(position, width: $0, height: $1)) })
        }
        if let failure { throw failure }
        try report(.finished(position, result))
      }
      return
    }
    try ImageQueue(self, jobs).run(report)
  }
}

/// A folder with images in it.
public enum ImageFolder {
  /// The names of the images in a folder, sorted: those that are read, by their endings; hidden
  /// files (as some systems leave them beside each image) left aside.
  ///
  /// - Throws: `AviaryError.noImages` where there is none, or no such folder.
  public static func images(in folder: String) throws(AviaryError) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let images = names.filter { name in
      !name.hasPrefix(".") && ImageFormat.readable.contains { $0.names(name) }
    }
    guard !images.isEmpty else { throw .noImages(folder: folder) }
    return images.sorted()
  }
}
