package import AviaryContainers
import AviaryFiles
package import AviaryTensor

/// Weights of a Keras model on their way into a file: plain data, in the order of the model's
/// layers.
package struct KerasWeightsWriter {
  /// A layer of the model.
  package struct Layer: Sendable {
    /// The name.
    package var name: String
    /// What holds it in Keras 3's files: class and counter, `conv2d_1`.
    package var member: String
    /// Its weights; none for layers that have none.
    package var variables: [Variable]

    /// A layer.
    package init(name: String, member: String, variables: [Variable]) {
      (self.name, self.member, self.variables) = (name, member, variables)
    }
  }

  /// A weight of a layer, in Keras's layout, read when it is written.
  package struct Variable: Sendable {
    /// What Keras calls it: `kernel`.
    package var name: String
    /// Reads the elements.
    package var load: @Sendable () throws(CheckpointError) -> Tensor

    /// A weight.
    package init(
      _ name: String, load: @escaping @Sendable () throws(CheckpointError) -> Tensor
    ) {
      (self.name, self.load) = (name, load)
    }
  }

  /// The model's name.
  package var name: String
  /// All layers in the order of a loaded model's.
  package var layers: [Layer]
  /// Our own record, as JSON; asked for once all weights are written.
  package var record: () throws(CheckpointError) -> String?

  /// Weights of a model.
  package init(
    name: String, layers: [Layer],
    record: @escaping () throws(CheckpointError) -> String? = { () throws(CheckpointError) in nil }
  ) {
    (self.name, self.layers, self.record) = (name, layers, record)
  }

  /// The most bytes that an attribute of Keras's has, before it is split.
  private static let attributeLimit = 64_512
  /// The most bytes of our own.
  private static let recordLimit = 60_000

  /// Where a weight lies in Keras 3's files.
  package static func path(member: String, variable: Int) -> String {
    "layers/\(member)/vars/\(variable)"
  }

  /// Where a weight lies in files of Keras 1 and 2.
  package static func legacyPath(layer: String, variable: String) -> String {
    "model_weights/\(layer)/\(layer)/\(variable):0"
  }

  // MARK: Keras 3

  /// Writes Keras 3's `.weights.h5` (keras/src/saving/saving_lib.py).
  ///
  /// - Throws: `CheckpointError.cannotWrite`, and what is wrong with where the weights come from.
  package func write(to path: String) throws(CheckpointError) {
    try write(to: path, isTemporary: false)
  }

  private func write(to path: String, isTemporary: Bool) throws(CheckpointError) {
    let writer = try HDF5Writer(replacing: path)
    let root = try writer.root()
    let own = try writer.group("vars", in: root)
    try writer.attribute("name", name, of: own)
    let group = try writer.group("layers", in: root)
    for layer in layers {
      let holder = try writer.group(layer.member, in: group)
      let variables = try writer.group("vars", in: holder)
      try writer.attribute("name", layer.name, of: variables)
      for (position, variable) in layer.variables.enumerated() {
        _ = try writer.tensor(String(position), try variable.load(), in: variables)
      }
    }
    try writeRecord(writer, root)
    try writer.commit(isTemporary: isTemporary)
  }

  /// Writes Keras 3's `.keras`: configuration and weights in one zip archive, stored.
  ///
  /// - Throws: `CheckpointError.cannotWrite`, and what is wrong with where the weights come from.
  package func writeArchive(configuration: String, to path: String) throws(CheckpointError) {
    var zip = try ZipWriter(replacing: path)
    // Fixed, so that the same model gives the same bytes.
    let metadata = #"{"keras_version": "3.0.0", "date_saved": "1980-01-01@00:00:00"}"#
    try zip.add("metadata.json", Array(metadata.utf8))
    try zip.add("config.json", Array(configuration.utf8))
    // HDF5 wants a file that it can go back and forth in: one beside the target, gone before long.
    let random = RandomName.text
    let temporary = TemporaryPath("\(path).\(random).partial")
    var weights = self
    weights.record = { () throws(CheckpointError) in nil }
    try weights.write(to: temporary.path, isTemporary: true)
    try zip.add("model.weights.h5", try InputFile(weights: temporary.path))
    if let record = try record() { try zip.add("aviary.json", Array(record.utf8)) }
    try zip.finish()
  }

  // MARK: Keras 2

  /// Writes a whole model as Keras 2's HDF5, which tf_keras and Keras 3 load.
  ///
  /// - Throws: `CheckpointError.cannotWrite`, and what is wrong with where the weights come from.
  package func writeLegacy(configuration: String, to path: String) throws(CheckpointError) {
    let writer = try HDF5Writer(replacing: path)
    let root = try writer.root()
    try writer.attribute("model_config", long: configuration, of: root)
    try Self.writeVersion(writer, root)
    let group = try writer.group("model_weights", in: root)
    try Self.writeVersion(writer, group)
    let weighted = layers.filter { !$0.variables.isEmpty }
    try Self.writeNames("layer_names", weighted.map(\.name), writer, group)
    for layer in weighted {
      let holder = try writer.group(layer.name, in: group)
      let names = layer.variables.map { "\(layer.name)/\($0.name):0" }
      try Self.writeNames("weight_names", names, writer, holder)
      let variables = try writer.group(layer.name, in: holder)
      for variable in layer.variables {
        _ = try writer.tensor("\(variable.name):0", try variable.load(), in: variables)
      }
    }
    try writeRecord(writer, root)
    try writer.commit()
  }

  private static func writeVersion(
    _ writer: borrowing HDF5Writer, _ object: borrowing HDF5Writer.Object
  ) throws(CheckpointError) {
    // Layouts are those of TensorFlow since version 2; the last Keras 2 says this.
    try writer.attribute("keras_version", "2.15.0", of: object)
    try writer.attribute("backend", "tensorflow", of: object)
  }

  /// Writes names as one attribute, or as `names0`, `names1`, … where they are too long for one.
  private static func writeNames(
    _ attribute: String, _ names: [String], _ writer: borrowing HDF5Writer,
    _ object: borrowing HDF5Writer.Object
  ) throws(CheckpointError) {
    let width = max(names.map(\.utf8.count).max() ?? 1, 1)
    let count = max(attributeLimit / width, 1)
    if names.count <= count { return try writer.attribute(attribute, strings: names, of: object) }
    for (number, start) in stride(from: 0, to: names.count, by: count).enumerated() {
      let part = Array(names[start..<min(start + count, names.count)])
      try writer.attribute("\(attribute)\(number)", strings: part, of: object)
    }
  }

  /// Writes our record as the attribute `aviary`, or as `aviary0`, `aviary1`, …
  private func writeRecord(
    _ writer: borrowing HDF5Writer, _ root: borrowing HDF5Writer.Object
  ) throws(CheckpointError) {
    guard let record = try record() else { return }
    if record.utf8.count <= Self.recordLimit {
      return try writer.attribute("aviary", record, of: root)
    }
    var part = ""
    var number = 0
    for scalar in record.unicodeScalars {
      if part.utf8.count + 4 > Self.recordLimit {
        try writer.attribute("aviary\(number)", part, of: root)
        part = ""
        number += 1
      }
      part.unicodeScalars.append(scalar)
    }
    try writer.attribute("aviary\(number)", part, of: root)
  }
}
