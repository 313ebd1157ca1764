import AviaryTensor
import Testing

@Suite struct TensorTests {
  /// A size that the limits allow and no machine has is an error, for a file may ask for it.
  @Test func aSizeWithoutMemoryIsAnError() {
    #expect(throws: TensorError.noMemory(byteCount: 8 * ((1 << 48) - 1))) {
      try Tensor(zeros: [(1 << 48) - 1], elementType: .float64)
    }
  }

  @Test func dimensionsBesideAZeroAreLimitedToo() throws {
    #expect(try Tensor.count(of: [0, 1 << 40]) == 0)
    #expect(throws: TensorError.invalidShape([0, 1 << 40, 1 << 40])) {
      try Tensor.count(of: [0, 1 << 40, 1 << 40])
    }
  }

  @Test func aTensorIsAValue() throws {
    let a = try Tensor(shape: [2], [1, 2])
    var b = a
    unsafe b.withMutableFloats { unsafe $0[0] = 9 }
    #expect(a.floats == [1, 2])
    #expect(b.floats == [9, 2])
    #expect(a != b)
    #expect(a == (try Tensor(shape: [2], [1, 2])))
  }

  @Test func startsAsZerosAndAligned() throws {
    let tensor = try Tensor(zeros: [3, 5], elementType: .float64)
    #expect(tensor.count == 15)
    #expect(tensor.byteCount == 120)
    #expect(tensor.floats == [Float](repeating: 0, count: 15))
    let address = unsafe tensor.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
    #expect(address.isMultiple(of: 64))
  }

  @Test func scalarsAndEmptyTensors() throws {
    #expect(try Tensor(shape: [], [4]).floats == [4])
    let empty = try Tensor(zeros: [0, 7])
    #expect(empty.isEqual(try Tensor(zeros: [0, 7])))
    #expect(empty.floats.isEmpty)
  }

  @Test(arguments: [[-1], [2, -3], [1 << 40, 1 << 40], [.max, 2], [1 << 48]])
  func impossibleShapesThrow(shape: [Int]) {
    let error = #expect(throws: TensorError.self) { try Tensor(zeros: shape) }
    #expect(
      error?.description
        == "shape \(shape): expected dimensions of 0 or more with a product below 2^48")
  }

  @Test func countsMustAgree() throws {
    let error = #expect(throws: TensorError.self) { try Tensor(shape: [2, 2], [1, 2, 3]) }
    #expect(error?.description == "shape [2, 2]: expected 4 values, found 3")
    let tensor = try Tensor(shape: [6], [0, 1, 2, 3, 4, 5])
    #expect(try tensor.reshaped(to: [2, 3]).shape == [2, 3])
    let reshaping = #expect(throws: TensorError.self) { try tensor.reshaped(to: [4]) }
    #expect(reshaping?.description == "shape [4]: expected 4 values, found 6")
  }

  @Test func reinterpretingNeedsTheSameSize() throws {
    let tensor = try Tensor(shape: [1], [1])
    #expect(try tensor.reinterpreted(as: .uint32).floats == [Float(0x3F80_0000)])
    let error = #expect(throws: TensorError.self) { try tensor.reinterpreted(as: .float16) }
    #expect(error?.description == "expected a type of the size of float32, found float16")
  }
}

extension Tensor {
  fileprivate func isEqual(_ other: Tensor) -> Bool {
    self == other && hashValue == other.hashValue
  }
}
