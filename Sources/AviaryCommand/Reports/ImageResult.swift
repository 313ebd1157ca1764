import Aviary
import AviaryGraph
import AviaryTraining
import FoundationEssentials

/// What became of one image of `aviary run`, as processes tell it each other.
struct ImageResult: Codable {
  /// The report, or the input and its error.
  let json: JSON
  /// The status of what went wrong; nil where nothing did.
  var failure: Int32?

  /// The results of all processes in the order of the images, of which process r of N had those at
  /// r, r + N, r + 2N and so on; the same in every process.
  static func gathered(
    _ results: [ImageResult], from processes: any Communicator
  ) throws -> [ImageResult] {
    if processes.size == 1 { return results }
    let all = try processes.gather(JSON(encoding: results).text).map { text in
      try JSONDecoder().decode([ImageResult].self, from: Data(text.utf8))
    }
    let count = all.reduce(0) { $0 + $1.count }
    return (0..<count).map { all[$0 % processes.size][$0 / processes.size] }
  }
}

extension Evaluation {
  /// A line for each image, and the mean.
  ///
  /// - Parameter scale: at 1 nothing is enlarged, and what a result is compared with is the input.
  func table(scale: Int) -> TextTable {
    let other = scale == 1 ? "Input" : "Bicubic"
    var table = TextTable(
      ["Image", "PSNR", "SSIM", "\(other) PSNR", "\(other) SSIM", "Gain"],
      numeric: [1, 2, 3, 4, 5])
    func row(_ name: String, _ psnr: Double, _ ssim: Double, _ bicubic: Score) -> [String] {
      [
        name, NumberText.fixed(psnr, 2), NumberText.fixed(ssim, 4),
        NumberText.fixed(bicubic.psnr, 2), NumberText.fixed(bicubic.ssim, 4),
        NumberText.fixed(psnr - bicubic.psnr, 2),
      ]
    }
    table.rows =
      images.map { row($0.name, $0.psnr, $0.ssim, $0.bicubic) }
      + [row("mean", mean.psnr, mean.ssim, mean.bicubic)]
    return table
  }

  /// For machines. By hand, because the PSNR of equal images is infinite, which JSON writes as
  /// a word here.
  var json: JSON {
    func members(_ psnr: Double, _ ssim: Double, _ bicubic: Score) -> [String: JSON] {
      [
        "psnr": .number(psnr), "ssim": .number(ssim),
        "bicubic": ["psnr": .number(bicubic.psnr), "ssim": .number(bicubic.ssim)],
      ]
    }
    var json: [String: JSON] = [
      "mean": .object(members(mean.psnr, mean.ssim, mean.bicubic)),
      "pictures": .array(
        images.map { entry in
          .object(
            members(entry.psnr, entry.ssim, entry.bicubic)
              .merging(["name": .string(entry.name)]) { $1 })
        }),
    ]
    if !failures.isEmpty {
      json["failures"] = .array(
        failures.map { ["name": .string($0.name), "error": .string("\($0.error)")] })
    }
    return .object(json)
  }
}
