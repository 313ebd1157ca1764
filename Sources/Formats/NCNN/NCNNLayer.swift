/// One line of an ncnn `.param` file: a layer, what it takes and gives, and its numbered attributes
/// (ncnn/docs/developer-guide/param-and-model-file-structure.md).
package struct NCNNLayer: Hashable, Sendable {
  /// The class: `Convolution`.
  package var type: String
  /// The layer's own name.
  package var name: String
  /// The blobs that it takes.
  package var inputs: [String]
  /// The blobs that it gives.
  package var outputs: [String]
  /// The line in the file, from 1.
  package var line: Int
  /// The attributes by number, each as one or several numbers.
  var attributes: [Int: [Double]] = [:]

  /// Whether the file states an attribute.
  package func has(_ number: Int) -> Bool { attributes[number] != nil }

  /// An attribute that is one number.
  package func number(_ number: Int, default absent: Double = 0) -> Double {
    attributes[number]?.first ?? absent
  }

  /// An attribute that is several numbers.
  package func numbers(_ number: Int) -> [Double] { attributes[number] ?? [] }

  /// An attribute that is an integer; nil where the number has a fraction or is beyond 2^31, as none
  /// of ncnn's is.
  package func integer(_ number: Int, default absent: Int = 0) -> Int? {
    guard let value = attributes[number]?.first else { return absent }
    return value.magnitude <= 0x1p31 ? Int(exactly: value) : nil
  }

  /// An attribute that is several integers; nil as `integer`.
  package func integers(_ number: Int) -> [Int]? {
    let values = numbers(number)
    let integers = values.filter { $0.magnitude <= 0x1p31 }.compactMap { Int(exactly: $0) }
    return integers.count == values.count ? integers : nil
  }
}

/// An ncnn network: layers in order of execution.
package struct NCNNNetwork: Hashable, Sendable {
  /// The layers; each takes only blobs that earlier ones give.
  package var layers: [NCNNLayer]
}
