import AviaryCheckpoint
import AviaryFormats
package import AviaryTensor
import FoundationEssentials

/// Networks as people have them, with what their framework gives, in a folder of the shared cases.
package struct Case: CustomStringConvertible, Sendable {
  /// The file.
  package let path: String
  /// Its name without its ending.
  package let name: String
  package var description: String { name }

  /// All files of a folder with an ending; none where the shared folder is absent.
  package static func all(_ folder: String, ending: String) -> [Case] {
    guard let path = SharedFolder.path("cases/\(folder)"),
      let names = try? FileManager.default.contentsOfDirectory(atPath: path)
    else { return [] }
    return names.filter { $0.hasSuffix(".\(ending)") }.sorted().map {
      Case(path: "\(path)/\($0)", name: String($0.dropLast(ending.count + 1)))
    }
  }

  /// The inputs and outputs beside it, in their order.
  ///
  /// - Throws: where there is no file of them.
  package func numbers() throws -> (inputs: [Tensor], outputs: [Tensor]) {
    let ending = path.split(separator: ".").last?.count ?? 0
    let arrays = try WeightsFile.read(path.dropLast(ending) + "npz").tensors.loaded()
    let named = Dictionary(uniqueKeysWithValues: arrays.map { ($0.name, $0.tensor) })
    func all(_ letter: String) -> [Tensor] {
      (0..<named.count).compactMap { named["\(letter)\($0)"] }
    }
    return (all("x"), all("y"))
  }
}
