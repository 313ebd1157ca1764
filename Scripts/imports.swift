// Checks that each target of Package.swift imports what it declares and declares what it imports:
//
//   swift package dump-package | swift Scripts/imports.swift
import Foundation

guard
  let package = try? JSONSerialization.jsonObject(
    with: FileHandle.standardInput.readDataToEndOfFile()) as? [String: Any],
  let targets = package["targets"] as? [[String: Any]]
else {
  let line = "imports: standard input is not the output of `swift package dump-package`\n"
  FileHandle.standardError.write(Data(line.utf8))
  exit(65)
}

/// Modules that every toolchain has.
let toolchain: Set<String> = [
  "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Musl", "Swift", "Synchronization",
  "Testing",
]
/// Targets that are declared to be built or linked beside, and need no import: the helper program
/// and what tests share.
func isBeside(_ name: String) -> Bool {
  name == "AviaryHDF5Helper" || name == "AviaryTestSupport"
}

func name(_ dependency: [String: Any]) -> String? {
  (dependency.values.first as? [Any])?.first as? String
}

let plugins = Set(
  targets.filter { ($0["path"] as? String)?.hasPrefix("Plugins/") == true }
    .compactMap { $0["name"] as? String })
var problems: [String] = []
for target in targets {
  guard let own = target["name"] as? String, let type = target["type"] as? String,
    type != "system"
  else { continue }
  let path = target["path"] as? String ?? "\(type == "test" ? "Tests" : "Sources")/\(own)"
  guard let files = FileManager.default.enumerator(atPath: path) else { continue }
  var imported: Set<String> = []
  var isSwift = false
  for case let file as String in files where file.hasSuffix(".swift") {
    isSwift = true
    let text = try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let place = words.firstIndex(of: "import"), place + 1 < words.count,
        words[..<place].allSatisfy({
          ["public", "package", "internal", "private", "@testable"].contains($0)
        })
      else { continue }
      imported.insert(String(words[place + 1].prefix { $0 != "." }))
    }
  }
  guard isSwift else { continue }
  let declared = Set((target["dependencies"] as? [[String: Any]] ?? []).compactMap(name))
  for module in imported.subtracting(declared).subtracting(toolchain).sorted() {
    problems.append("\(own) imports \(module) and does not declare it")
  }
  for module in declared.subtracting(imported).sorted()
  where !plugins.contains(module) && !isBeside(module) {
    problems.append("\(own) declares \(module) and does not import it")
  }
}
print(problems.joined(separator: "\n"))
exit(problems.isEmpty ? 0 : 1)
