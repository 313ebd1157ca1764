/// Tensors that files of an architecture hold beside its parameters and that its forward pass does not
/// read: those of another scale, masks, counters. Recognition passes over them, and reports list them.
public struct UnusedTensors: Hashable, Sendable {
  /// Names of tensors: `{i}` stands for a number, and `.*` at the end for any rest.
  public let names: String
  /// Why they are not read: "upsampling of another scale".
  public let reason: String
  /// What a file for PyTorch is to hold under the name, for those who load it; nil for nothing.
  public let buffer: Buffer?
  private let pattern: Pattern

  /// A tensor that follows from the configuration.
  public struct Buffer: Hashable, Sendable {
    /// The type of the elements.
    public enum Element: String, Hashable, Sendable { case float32, int64, uint8 }

    /// The elements, or what they are calculated from where they are many.
    public enum Content: Hashable, Sendable {
      /// These, in row-major order.
      case numbers([Double])
      /// Those of an index.
      case index(GatherIndex)
      /// For each pixel of a window and each `keyStep`th pixel of its rows and columns the row of a
      /// table of biases for their relative position, in windows so many times smaller.
      case relativePosition(window: Size, keyStep: Int)
      /// For each window of an image, each of its pixels and each `keyStep`th pixel of its rows and
      /// columns what a shift of the windows adds to the score.
      case shiftMask(ShiftMask, image: Size, keyStep: Int)
    }

    /// The dimensions.
    public var shape: [Int]
    /// The elements, as many as the shape has.
    public var content: Content
    /// Their type.
    public var element: Element

    /// Elements in a shape; float32 unless stated.
    public init(_ shape: [Int], _ values: [Double], _ element: Element = .float32) {
      (self.shape, content, self.element) = (shape, .numbers(values), element)
    }

    /// The places of an index.
    public init(_ index: GatherIndex) {
      (shape, content, element) = (index.shape, .index(index), .int64)
    }

    /// The rows of a table of biases, of square windows.
    public init(relativePositionsOf window: Size, keyStep: Int = 1) {
      shape = [window.area, window.area / (keyStep * keyStep)]
      content = .relativePosition(window: window, keyStep: keyStep)
      element = .int64
    }

    /// What a shift of windows adds to scores in an image of this size.
    public init(_ mask: ShiftMask, image: Size, keyStep: Int = 1) {
      shape = [
        image.height / mask.window.height * (image.width / mask.window.width), mask.window.area,
        mask.window.area / (keyStep * keyStep),
      ]
      content = .shiftMask(mask, image: image, keyStep: keyStep)
      element = .float32
    }

    /// The elements, in row-major order.
    public var values: [Double] {
      switch content {
      case .numbers(let values): return values
      case .index(let index):
        return (0..<index.shape.reduce(1, *)).map { Double(index[$0]) }
      case .relativePosition(let window, let step):
        let keys = Size(window.height / step, window.width / step)
        return (0..<window.area).flatMap { query in
          (0..<keys.area).map { key in
            let down = query / window.width / step - key / keys.width + keys.height - 1
            let right = query % window.width / step - key % keys.width + keys.width - 1
            return Double(down * (2 * keys.width - 1) + right)
          }
        }
      case .shiftMask(let mask, let image, let step):
        let (rows, columns) = (image.height / mask.window.height, image.width / mask.window.width)
        return (0..<rows * columns).flatMap { window -> [Double] in
          func part(_ pixel: Int) -> Int {
            mask.part(
              pixel, isLastRow: window / columns == rows - 1,
              isLastColumn: window % columns == columns - 1)
          }
          let width = mask.window.width / step
          return (0..<mask.window.area).flatMap { query in
            (0..<mask.window.area / (step * step)).map { key in
              let pixel = key / width * step * mask.window.width + key % width * step
              return part(query) == part(pixel) ? 0 : mask.value
            }
          }
        }
      }
    }
  }

  /// Tensors whose names match a pattern; traps if it cannot be read, which is a slip in the source
  /// text of an architecture.
  ///
  /// - Parameter buffer: what a file for PyTorch holds under the name, which then is one name.
  public init(_ names: String, _ reason: String, buffer: Buffer? = nil) {
    do throws(GraphError) {
      try self.init(names: names, reason: reason, buffer: buffer)
    } catch {
      preconditionFailure("unused tensors: \(error)")
    }
  }

  /// A pattern from outside.
  ///
  /// - Throws: `GraphError.member` for one that cannot be read, and for a buffer of many names, of more
  ///   than 2^16 elements, or of others than its shape has.
  init(names: String, reason: String, buffer: Buffer? = nil) throws(GraphError) {
    (self.names, self.reason, self.buffer) = (names, reason, buffer)
    if let buffer {
      guard !names.hasSuffix(".*"), !names.contains("{") else {
        throw .member("unused tensors", expected: "one name for a buffer", found: "'\(names)'")
      }
      if case .numbers(let values) = buffer.content {
        try Self.check(buffer, values, names)
      }
    }
    pattern = try Pattern(names.hasSuffix(".*") ? String(names.dropLast(2)) : names)
  }

  /// Refuses elements that are too many, others than the shape has, or none of their type.
  private static func check(
    _ buffer: Buffer, _ values: [Double], _ names: String
  ) throws(GraphError) {
    guard buffer.shape.count <= GraphLimits.rank,
      buffer.shape.allSatisfy((1...1 << 16).contains), values.count <= 1 << 16,
      buffer.shape.reduce(1.0, { $0 * Double($1) }) == Double(values.count)
    else {
      throw .member(
        "unused tensors: \(names)", expected: "as many elements as shape \(buffer.shape) has",
        found: "\(values.count)")
    }
    let largest = Double(Float.greatestFiniteMagnitude)
    let (range, words) =
      switch buffer.element {
      case .float32: (-largest...largest, "finite numbers")
      case .uint8: (0...255, "bytes")
      case .int64: (-0x1p53...0x1p53, "whole numbers")
      }
    guard
      values.allSatisfy({ range.contains($0) && (buffer.element == .float32 || $0.rounded() == $0) }
      )
    else { throw .member("unused tensors: \(names)", expected: words, found: "others") }
  }

  /// Whether a tensor is one of them.
  func contains(_ name: String) -> Bool {
    guard names.hasSuffix(".*") else { return pattern.match(name[...]) != nil }
    return name.indices.contains { name[$0] == "." && pattern.match(name[..<$0]) != nil }
  }
}

extension [UnusedTensors] {
  /// Why a tensor is not read; nil for one that is not among them.
  package func reason(for name: String) -> String? {
    first { $0.contains(name) }?.reason
  }
}
