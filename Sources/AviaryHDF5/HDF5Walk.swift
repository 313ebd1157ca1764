/// Goes through a file's groups, attributes and data sets, and writes down what it finds.
struct HDF5Walk {
  private(set) var answer = HDF5Answer(.tree)
  private let limits: (objects: Int, answer: Int)
  private var objects = 0
  private var texts = 0

  /// - Parameter byteCount: the file's size, by which everything in it is measured.
  init(byteCount: Int) {
    limits = (HDF5Limits.objects(byteCount), HDF5Limits.answer(byteCount))
  }

  /// Writes down a group and all below it.
  mutating func group(_ group: borrowing HDF5Group, depth: Int) throws(HDF5Error) {
    guard depth <= HDF5Limits.depth else {
      throw .tooLarge(part: "groups inside groups", limit: HDF5Limits.depth, found: depth)
    }
    try attributes(of: group.handle, group.name)
    let names = try group.memberNames()
    answer.add(count: names.count)
    for name in names {
      objects += 1
      guard objects <= limits.objects else {
        throw .tooLarge(part: "objects", limit: limits.objects, found: objects)
      }
      answer.add(name)
      switch try group.member(name) {
      case .group(let group):
        answer.add(UInt8(0))
        try self.group(group, depth: depth + 1)
      case .dataSet(let dataSet):
        answer.add(UInt8(1))
        try self.dataSet(dataSet)
      }
      guard answer.bytes.count <= limits.answer else {
        throw .tooLarge(
          part: "names and attributes, bytes", limit: limits.answer, found: answer.bytes.count)
      }
    }
  }

  private mutating func dataSet(_ dataSet: borrowing HDF5DataSet) throws(HDF5Error) {
    // So many elements no tensor has, and whoever counts them must not overflow.
    var count = 1
    for dimension in dataSet.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: max(dimension, 1))
      count = overflow ? .max : product
    }
    guard count < 1 << 48 else {
      throw .tooLarge(
        part: "\(dataSet.name), shape \(dataSet.shape), elements", limit: 1 << 48, found: count)
    }
    let (text, offset) = (try dataSet.text(), dataSet.offset)
    answer.add(UInt8(clamping: dataSet.shape.count))
    for dimension in dataSet.shape { answer.add(UInt64(dimension)) }
    answer.add(dataSet.kind.rawValue)
    var flags: UInt8 = 0
    if try dataSet.isPlain() { flags |= HDF5Answer.Flags.isPlain }
    if dataSet.isFiltered { flags |= HDF5Answer.Flags.isFiltered }
    if offset != nil { flags |= HDF5Answer.Flags.hasOffset }
    if text != nil { flags |= HDF5Answer.Flags.hasText }
    answer.add(flags)
    answer.add(UInt64(offset ?? 0))
    answer.add(UInt64(dataSet.storedByteCount))
    if let text {
      try self.count(text: text.utf8.count, dataSet.name)
      answer.add(text)
    }
    try attributes(of: dataSet.handle, dataSet.name)
  }

  private mutating func attributes(
    of object: borrowing HDF5Handle, _ part: String
  ) throws(HDF5Error) {
    var found: [(name: String, value: HDF5Attributes.Value)] = []
    for name in try HDF5Attributes.names(of: object, part) {
      guard let value = try HDF5Attributes.read(name, of: object, part: part) else { continue }
      try count(text: value.byteCount, part)
      found.append((name, value))
    }
    answer.add(count: found.count)
    for (name, value) in found {
      answer.add(name)
      switch value {
      case .strings(let values):
        answer.add(HDF5Answer.AttributeKind.strings.rawValue)
        answer.add(count: values.count)
        for value in values { answer.add(value) }
      case .integers(let values):
        answer.add(HDF5Answer.AttributeKind.integers.rawValue)
        answer.add(count: values.count)
        for value in values { answer.add(UInt64(bitPattern: value)) }
      case .floats(let values):
        answer.add(HDF5Answer.AttributeKind.floats.rawValue)
        answer.add(count: values.count)
        for value in values { answer.add(value.bitPattern) }
      }
    }
  }

  private mutating func count(text byteCount: Int, _ part: String) throws(HDF5Error) {
    texts += byteCount
    guard texts <= HDF5Limits.texts else {
      throw .tooLarge(
        part: "\(part): texts and attributes, bytes", limit: HDF5Limits.texts, found: texts)
    }
  }
}
