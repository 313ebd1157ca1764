import AviaryTestSupport
import FoundationEssentials

/// Files under Tests/Fixtures, each made by the `export.py` beside it.
enum Fixture {
  static func path(_ relative: String) -> String {
    SharedFolder.repository.appending(path: "Tests/Fixtures/" + relative).path
  }

  /// What `export.py` says is in the PyTorch files, by file.
  static func expected() throws -> [String: Expected] {
    let url = URL(filePath: path("pytorch/containers/expected.json"))
    return try JSONDecoder().decode([String: Expected].self, from: Data(contentsOf: url))
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
