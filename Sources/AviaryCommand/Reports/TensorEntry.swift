import AviaryCheckpoint
import AviaryGraph
import AviaryTensor

/// A tensor in the description of a file, native or third-party.
struct TensorEntry {
  var name: String
  var shape: [Int]
  var elementType: ElementType
  /// A remark: `nonPersistent`, or the tensor whose storage it shares.
  var remark: String?
  /// The name in the file, if the reader renamed the tensor.
  var storedName: String?
  /// Nil unless the data were read.
  var statistics: TensorStatistics?

  /// A tensor of a native checkpoint.
  init(
    name: String, shape: [Int], elementType: ElementType, remark: String?,
    statistics: TensorStatistics?
  ) {
    self.name = name
    self.shape = shape
    self.elementType = elementType
    self.remark = remark
    self.statistics = statistics
  }

  /// A tensor of a third-party file.
  init(_ tensor: TensorDescription, statistics: TensorStatistics?) {
    let remarks =
      (tensor.alias.map { ["the storage of \($0)"] } ?? []) + tensor.steps.map { "\($0)" }
    self.init(
      name: tensor.name, shape: tensor.shape, elementType: tensor.elementType,
      remark: remarks.isEmpty ? nil : remarks.joined(separator: ", "), statistics: statistics)
    storedName = tensor.storedName == tensor.name ? nil : tensor.storedName
  }

  /// All of them in columns.
  static func table(_ entries: [TensorEntry]) -> TextTable {
    let hasStatistics = entries.contains { $0.statistics != nil }
    var table = TextTable(
      ["Tensor", "Shape", "Type"]
        + (hasStatistics ? ["Min", "Max", "Mean", "Deviation", "NaN", "Inf", "Zero channels"] : [])
        + [""],
      numeric: hasStatistics ? Set(3...9) : [])
    table.rows = entries.map { entry in
      let numbers =
        entry.statistics.map { statistics in
          [
            statistics.minimum, statistics.maximum, statistics.mean, statistics.deviation,
          ].map(NumberText.short)
            + [statistics.nanCount, statistics.infinityCount, statistics.zeroChannelCount]
            .map(String.init)
        } ?? []
      return [entry.name, "\(entry.shape)", entry.elementType.rawValue] + numbers
        + [entry.remark ?? ""]
    }
    return table
  }

  /// The number of tensors and elements in total.
  static func total(_ entries: [TensorEntry]) -> String {
    let values = entries.reduce(0) { $0 + $1.count }
    let bytes = entries.reduce(0) { $0 + $1.count * $1.elementType.byteCount }
    return "\(entries.count), \(NumberText.grouped(values)) values, \(NumberText.bytes(bytes))"
  }

  /// The number of elements. Shapes of files that were read are within limits; a description that
  /// was not checked against data may say anything.
  private var count: Int { (try? Tensor.count(of: shape)) ?? 0 }

  /// For machines.
  var json: JSON {
    get throws {
      var members: [String: JSON] = [
        "name": .string(name), "shape": .array(shape.map(JSON.int)),
        "dtype": .string(elementType.rawValue),
      ]
      members["remark"] = remark.map(JSON.string)
      members["storedName"] = storedName.map(JSON.string)
      if let statistics { members["statistics"] = try JSON(encoding: statistics) }
      return .object(members)
    }
  }
}
