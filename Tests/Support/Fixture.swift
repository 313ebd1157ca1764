package import AviaryCheckpoint
import AviaryTensor
import FoundationEssentials
import Testing

/// Files under Tests/Fixtures, each made by the `export.py` beside it.
package enum Fixture {
  package static func path(_ relative: String) -> String {
    SharedFolder.repository.appending(path: "Tests/Fixtures/" + relative).path
  }

  /// What `export.py` says is in the files of a folder, by file.
  package static func expected(
    _ folder: String = "pytorch/containers"
  ) throws -> [String: Expected] { try decoded(folder + "/expected.json") }

  /// A JSON file's content.
  package static func decoded<Content: Decodable>(_ relative: String) throws -> Content {
    let url = URL(filePath: path(relative))
    return try JSONDecoder().decode(Content.self, from: Data(contentsOf: url))
  }

  package struct Expected: Decodable {
    package var names: [String]
    package var tensors: [String: Numbers]
    package var path: [String]?
    package var prefix: String?
    package var moduleClass: String?
    package var aliases: [String: String]?
    package var metadata: [String: String]?
    package var ignored: [String]?
    package var notes: [String]?

    /// Compares every tensor, in shape, type and elements.
    package func check(_ source: TensorSource) throws {
      #expect(source.names.sorted() == tensors.keys.sorted())
      for (name, tensor) in try source.loaded() {
        let numbers = try #require(tensors[name])
        #expect(tensor.shape == numbers.shape, "\(name)")
        #expect(source[name]?.shape == numbers.shape, "\(name)")
        #expect(tensor.elementType.rawValue == numbers.type, "\(name)")
        #expect(tensor.floats == numbers.values.map(\.value), "\(name)")
      }
    }
  }

  package struct Numbers: Decodable {
    package var shape: [Int]
    package var type: String
    package var values: [Number]
  }

  /// A number, or the name of one that JSON does not have.
  package struct Number: Decodable {
    package var value: Float

    package init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        value = Float(number)
      } else {
        value = Float(try container.decode(String.self)) ?? .nan
      }
    }
  }
}
