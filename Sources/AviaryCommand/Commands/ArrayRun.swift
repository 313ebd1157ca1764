import Aviary
import AviaryFiles
import AviaryFormats
import AviaryGraph
import AviaryTensor

/// The part of `aviary run` that computes arrays.
struct ArrayRun {
  private let upscaler: Upscaler
  private let layout: ArrayLayout
  private let output: OutputOptions

  init(_ upscaler: Upscaler, _ layout: ArrayLayout, _ output: OutputOptions) {
    (self.upscaler, self.layout, self.output) = (upscaler, layout, output)
  }

  /// Computes arrays, one after the other.
  ///
  /// - Throws: `CommandError` if standard output fails.
  func run(_ jobs: [OutputPlan.Job]) throws -> [ImageResult] { try jobs.map(run) }

  private func run(_ job: OutputPlan.Job) throws -> ImageResult {
    do {
      let path = try job.path.get()
      let clock = ContinuousClock()
      let start = clock.now
      let array = try NumPyArray.read(job.input)
      let result = try upscaler.run(array, layout)
      try NumPyArray.write(result, to: path)
      let seconds = start.duration(to: clock.now) / .seconds(1)
      if !output.json {
        try Console.print(
          "\(job.input.printable) -> \(path.printable): \(array.shape) to \(result.shape), "
            + NumberText.duration(seconds))
      }
      return ImageResult(
        json: [
          "input": .string(job.input.pathText), "output": .string(path.pathText),
          "shape": .array(array.shape.map(JSON.int)),
          "outputShape": .array(result.shape.map(JSON.int)), "seconds": .number(seconds),
        ])
    } catch let error as CommandError where error.isFinal {
      throw error
    } catch {
      Console.error(error)
      return ImageResult(
        json: ["input": .string(job.input.pathText), "error": .string("\(error)".pathText)],
        failure: ExitStatus(error).rawValue)
    }
  }
}
