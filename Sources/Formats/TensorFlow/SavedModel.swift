import AviaryCheckpoint
import AviaryContainers
import AviaryFiles
import AviaryGraph

/// The folder of a model that Keras 2 saved in TensorFlow's format: `saved_model.pb`, the variables,
/// and in `keras_metadata.pb` what Keras knows of each object
/// (tensorflow/core/protobuf/saved_model.proto; keras/protobuf/saved_metadata.proto).
enum SavedModel {
  /// What Keras says of an object of the graph.
  struct Object {
    /// The layer's name in the model.
    var name: String
    var className: String
  }

  /// More than any model has.
  private static let limits = (objects: 1 << 18, text: 256 << 20)

  /// Describes the weights of a saved model.
  ///
  /// - Throws: `CheckpointError.unsupported` for a model that only its graph describes.
  static func read(_ path: String) throws(CheckpointError) -> WeightsFile {
    let index = "\(path)/variables/variables.index"
    let metadata = "\(path)/keras_metadata.pb"
    guard (try? InputFile(metadata)) != nil else {
      throw .unsupported(
        path: path,
        what:
          "a TensorFlow SavedModel that Keras did not describe (its weights alone are read from "
          + "\(index); tf2onnx makes an ONNX model of it)")
    }
    let bundle = try TensorBundle(try InputFile(weights: index))
    let (objects, root) = try self.objects(metadata)
    guard let root, let json = (try? JSON(parsing: root))?.withoutTuples,
      json["config"]?["layers"] != nil
    else {
      throw .unsupported(
        path: path,
        what: "a TensorFlow SavedModel of a class of its own (its weights alone are read from "
          + "\(index); tf2onnx makes an ONNX model of it)")
    }
    var file = try TensorFlowCheckpoint.read(
      bundle, path: path, KerasConfiguration(parsing: json.text), objects: objects)
    file.format = .savedModel
    file.network = .keras(json.text)
    file.origin.version = json["keras_version"]?.string ?? file.origin.version
    return file
  }

  /// What `keras_metadata.pb` says: of each object that is a layer, and of the model, whose text has
  /// the whole configuration.
  private static func objects(
    _ path: String
  ) throws(CheckpointError) -> (objects: [Int: Object], root: String?) {
    let file = try ProtocolBufferFile(path)
    var cursor = ProtocolBufferCursor(file, 0..<file.byteCount, part: "the metadata")
    var objects: [Int: Object] = [:]
    var root: String?
    while let field = try cursor.next() {
      guard field.number == 1 else { continue }
      guard objects.count < limits.objects else { throw cursor.damaged("too many objects") }
      var message = try cursor.message(field, "an object")
      // The root's number is not written.
      var (number, place, text) = (0, "", "")
      while let field = try message.next() {
        switch field.number {
        case 2: number = field.integer ?? 0
        case 3: place = try message.text(field)
        case 5: text = try message.text(field, limit: limits.text)
        default: continue
        }
      }
      if place == "root" { root = text }
      guard let json = try? JSON(parsing: text), let className = json["class_name"]?.string,
        let name = json["config"]?["name"]?.string ?? json["name"]?.string
      else { continue }
      objects[number] = Object(name: name, className: className)
    }
    return (objects, root)
  }
}

extension JSON {
  /// With lists in the place of Python's tuples, which only this text tells apart. The parser limits
  /// the depth.
  fileprivate var withoutTuples: JSON {
    if let array { return .array(array.map(\.withoutTuples)) }
    guard let object else { return self }
    if object["class_name"] == "__tuple__", let items = object["items"]?.array {
      return .array(items.map(\.withoutTuples))
    }
    return .object(object.mapValues(\.withoutTuples))
  }
}
