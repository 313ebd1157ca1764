internal import ArgumentParser
internal import Aviary
internal import AviaryGraph
internal import AviaryImage
internal import AviaryTensor
internal import Glibc

/// Times whole programs that enlarge one image, start to file, one after the other in turns, and
/// holds their images against each other.
struct LifeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "life", abstract: "Times programs from start to image; one JSON line each.")

  @OptionGroup var listed: ListedWork

  @Option(help: "The program aviary.")
  var aviary: String

  @Option(help: "The image.")
  var image: String

  @Option(help: "The folder of the peers' scripts.")
  var scripts: String

  @Option(help: "The folder of the peers' virtual environments; only aviary is timed without it.")
  var environments: String?

  @Option(help: "Runs that are timed, after one that is not; the median counts.")
  var runs = 5

  func validate() throws {
    guard runs > 0 else { throw ValidationError("runs: expected at least 1, found \(runs)") }
  }

  /// A program, and where it leaves its image.
  private struct Contender {
    let peer: String
    let words: [String]
    let result: String
    var times: [Double] = []
    var error: String?
  }

  func run() throws {
    let work = try listed.work()
    guard work.kind == .life else {
      throw ValidationError(
        "work: expected a place of one from start to image, found \(listed.position)")
    }
    let stem = "\(listed.models)/\(work.network)"
    func result(_ name: String) -> String { "\(stem)-\(name).png" }
    var contenders = [
      Contender(
        peer: "aviary",
        words: [
          aviary, "run", "\(stem).h5", image, "-o", result("aviary"), "--quiet",
        ],
        result: result("aviary"))
    ]
    if let environments {
      contenders += [
        Contender(
          peer: "torch script",
          words: [
            "\(environments)/torch/bin/python", "\(scripts)/enlarge_torch.py", "\(stem).py",
            "\(stem).pt", image, result("torch"),
          ], result: result("torch")),
        Contender(
          peer: "onnxruntime script",
          words: [
            "\(environments)/onnx/bin/python", "\(scripts)/enlarge_onnx.py", "\(stem).onnx",
            image, result("onnx"),
          ], result: result("onnx")),
      ]
    }
    // The first round brings programs and weights into the system's cache of files.
    for round in 0...runs {
      for index in contenders.indices where contenders[index].error == nil {
        // A file that is there already would be another work.
        _ = unsafe unlink(contenders[index].result)
        do throws(BenchmarkError) {
          let program = try SpawnedProgram(contenders[index].words)
          if round > 0 { contenders[index].times.append(program.seconds * 1e3) }
        } catch {
          // Ours has to work; a peer that does not is shown as such.
          guard index > 0 else { throw error }
          contenders[index].error = "\(error)"
        }
      }
    }
    let ours = try Image(contentsOf: contenders[0].result)
    for contender in contenders { print(try line(contender, ours, work).text) }
  }

  private func line(_ contender: Contender, _ ours: Image, _ work: Work) throws -> JSON {
    var members: [String: JSON] = [
      "peer": .string(contender.peer), "network": .string(work.network),
      "work": .string(work.name),
    ]
    if let error = contender.error {
      members["error"] = .string(error)
      return .object(members)
    }
    let times = TimedRuns(contender.times)
    members["milliseconds"] = .number(times.median.rounded(to: 1))
    members["fastest"] = .number(times.fastest.rounded(to: 1))
    if contender.peer != "aviary" {
      let steps = LifeCommand.steps(ours, try Image(contentsOf: contender.result))
      members["difference"] = .number(steps / 255)
      // Where a value lies between two numbers, rounding may go either way.
      if steps > 1 { members["error"] = .string("the image differs by \(steps) of 255") }
    }
    return .object(members)
  }

  /// The largest difference of two images, in parts of 255; infinite for two of other sizes.
  private static func steps(_ one: Image, _ other: Image) -> Double {
    guard one.pixels.shape == other.pixels.shape else { return .infinity }
    let largest = zip(one.pixels.floats, other.pixels.floats).reduce(Float(0)) {
      max($0, abs($1.0 - $1.1))
    }
    return Double(largest * 255).rounded(to: 2)
  }
}
