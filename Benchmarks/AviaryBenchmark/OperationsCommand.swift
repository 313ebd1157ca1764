internal import ArgumentParser
internal import AviaryGraph
internal import AviaryTestSupport

/// Prints what is known of every operation, for the documents: nothing here is written down, all of it
/// is asked of the operations or tried.
struct OperationsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operations",
    abstract: "Prints a table of all operations; to be run at the root of the repository.",
    shouldDisplay: false)

  func run() throws {
    print("| operation | files | made as | sees | ONNX | Keras | PyTorch | ncnn | gradient |")
    print("|---|---|---|---|---|---|---|---|---|")
    for type in Op.types {
      let rows = OperationRow.all.filter { type.names.contains($0.op.name) }
      guard let summary = try OperationSummary(type.names, rows) else {
        throw BenchmarkError.noRow(operation: type.names.joined(separator: ", "))
      }
      print("| \(summary.cells.joined(separator: " | ")) |")
    }
  }
}
