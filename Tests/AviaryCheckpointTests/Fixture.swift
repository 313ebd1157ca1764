import AviaryCheckpoint
import AviaryTensor
import AviaryTestSupport
import FoundationEssentials
import Testing

/// Files under Tests/Fixtures, each made by the `export.py` beside it.
enum Fixture {
  static func path(_ relative: String) -> String {
    SharedFolder.repository.appending(path: "Tests/Fixtures/" + relative).path
  }

  /// What `export.py` says is in the files of a folder, by file.
  static func expected(
    _ folder: String = "pytorch/containers"
  ) throws -> [String: Expected] { try decoded(folder + "/expected.json") }

  /// A JSON file's content.
  static func decoded<Content: Decodable>(_ relative: String) throws -> Content {
    let url = URL(filePath: path(relative))
    return try JSONDecoder().decode(Content.self, from: Data(contentsOf: url))
  }

  struct Expected: Decodable {
    var names: [String]
    var tensors: [String: Numbers]
    var path: [String]?
    var prefix: String?
    var moduleClass: String?
    var aliases: [String: String]?
    var metadata: [String: String]?
    var ignored: [String]?
    var notes: [String]?

    /// Compares every tensor, in shape, type and elements.
    func check(_ source: TensorSource) throws {
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

  struct Numbers: Decodable {
    var shape: [Int]
    var type: String
    var values: [Number]
  }

  /// A number, or the name of one that JSON does not have.
  struct Number: Decodable {
    var value: Float

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        value = Float(number)
      } else {
        value = Float(try container.decode(String.self)) ?? .nan
      }
    }
  }
}
