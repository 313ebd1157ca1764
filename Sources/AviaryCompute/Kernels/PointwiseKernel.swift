import AviaryThreads
import CKernels

/// A program of single values as it runs over memory: in blocks of elements that stay in the
/// first-level cache from the first step to the last, each step a loop of vector code.
struct PointwiseKernel {
  private let steps: [aviary_pointwise_step]
  private let slotCount: Int
  /// The result's dimensions as they lie in memory, as few as the operands allow.
  private let sizes: [Int]
  /// Operand by operand, how far it moves along each of them.
  private let strides: [Int]
  /// Operand by operand, whether it lies as the result does.
  private let isDense: [Int32]
  private let block: Int

  /// The most operands of a program.
  static let mostOperands = Int(aviary_most_operands)
  /// The most values that a program may keep at a time.
  static let mostSlots = Int(aviary_most_slots)

  /// - Parameters:
  ///   - operands: the values that the program is run on, which may repeat in the result.
  ///   - orders: for operands, by position, which of their dimensions each of the result's is.
  ///   - result: what it gives; all lie in one memory format.
  init(
    _ program: PointwiseProgram, operands: [IRGraph.Value], orders: [Int: [Int]] = [:],
    result: IRGraph.Value
  ) {
    let slots = program.slots
    slotCount = slots.count
    func register(_ number: Int) -> Int32 {
      Int32(
        number < program.operandCount
          ? number : program.operandCount + slots.numbers[number - program.operandCount])
    }
    steps = program.steps.enumerated().map { i, step in
      func operand(_ position: Int) -> Int32 {
        position < step.operands.count ? register(step.operands[position]) : 0
      }
      func constant(_ position: Int) -> Float {
        position < step.constants.count ? step.constants[position] : 0
      }
      return aviary_pointwise_step(
        function: step.function, target: register(program.operandCount + i), a: operand(0),
        b: operand(1), c: operand(2), p: constant(0), q: constant(1))
    }
    let whole = Broadcast(result, in: result.shape)
    let walks = operands.enumerated().map { position, operand in
      orders[position].map { Broadcast(operand.shape, read: $0, in: result.shape).strides }
        ?? Broadcast(operand, in: result.shape).strides
    }
    isDense = walks.map { $0 == whole.strides ? 1 : 0 }
    let joined = PointwiseKernel.joined(whole.sizes, walks + [whole.strides])
    sizes = joined.sizes
    strides = joined.strides.dropLast().flatMap { $0 }
    // About half of a first-level cache, together with what is read and written. Longer blocks were
    // slower: 512 elements are enough to forget what a step costs.
    block = min(max(4_096 / (slotCount + operands.count + 1), 128), 512) / 16 * 16
  }

  /// Dimensions that all are walked through as one, joined.
  private static func joined(
    _ sizes: [Int], _ strides: [[Int]]
  ) -> (sizes: [Int], strides: [[Int]]) {
    var result: (sizes: [Int], strides: [[Int]]) = ([], strides.map { _ in [] })
    for (i, size) in sizes.enumerated() where size != 1 {
      let last = result.sizes.count - 1
      let continues =
        last >= 0
        && strides.indices.allSatisfy { result.strides[$0][last] == strides[$0][i] * size }
      for (j, walk) in strides.enumerated() {
        if continues {
          result.strides[j][last] = walk[i]
        } else {
          result.strides[j].append(walk[i])
        }
      }
      if continues { result.sizes[last] *= size } else { result.sizes.append(size) }
    }
    return result.sizes.isEmpty ? ([1], strides.map { _ in [0] }) : result
  }

  private var count: Int { sizes.reduce(1, *) }

  /// The numbers of scratch memory that all parts of the work need, one after another.
  func scratchCount(_ workers: ThreadPool) -> Int { scratchStep * workers.count }

  private var scratchStep: Int {
    // Sizes alone matter.
    unsafe withProgram { unsafe aviary_pointwise_scratch($0) }.roundedUp(to: 16)
  }

  /// - Parameters:
  ///   - operands: where each begins.
  ///   - result: may lie over an operand of its shape.
  ///   - scratch: as much memory as `scratchCount` says.
  func run(
    _ operands: [UnsafePointer<Float>?], to result: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let count = count, step = scratchStep
    unsafe operands.withUnsafeBufferPointer { operands in
      unsafe withProgram { program in
        let blocks = (count + block - 1) / block
        workers.splitNumbered(blocks, cost: block * max(steps.count, 1)) { range, part in
          unsafe aviary_pointwise_run(
            program, operands.baseAddress, result, scratch + part * step,
            range.lowerBound * block, min(range.upperBound * block, count))
        }
      }
    }
  }

  /// Calls `body` with the program in C's terms.
  private func withProgram<R>(_ body: (UnsafePointer<aviary_pointwise>) -> R) -> R {
    unsafe steps.withUnsafeBufferPointer { steps in
      unsafe sizes.withUnsafeBufferPointer { sizes in
        unsafe strides.withUnsafeBufferPointer { strides in
          unsafe isDense.withUnsafeBufferPointer { dense in
            var program = unsafe aviary_pointwise(
              step_count: steps.count, operand_count: dense.count, slot_count: slotCount,
              steps: steps.baseAddress, rank: sizes.count, sizes: sizes.baseAddress,
              strides: strides.baseAddress, dense: dense.baseAddress, block: block)
            return unsafe body(&program)
          }
        }
      }
    }
  }
}

extension PointwiseProgram {
  /// Where the results of the steps lie while they are needed: a slot for each step, and how many
  /// slots there are. A step may write over what it reads; the last one writes the result.
  var slots: (numbers: [Int], count: Int) {
    var lastUses = [Int](repeating: 0, count: steps.count)
    for (i, step) in steps.enumerated() {
      for operand in step.operands where operand >= operandCount {
        lastUses[operand - operandCount] = i
      }
    }
    var numbers: [Int] = []
    var free: [Int] = []
    var count = 0
    for (i, step) in steps.enumerated() {
      for operand in Set(step.operands) where operand >= operandCount {
        if lastUses[operand - operandCount] == i { free.append(numbers[operand - operandCount]) }
      }
      if i + 1 == steps.count {
        numbers.append(0)
      } else if let slot = free.min() {
        free.removeAll { $0 == slot }
        numbers.append(slot)
      } else {
        numbers.append(count)
        count += 1
      }
    }
    return (numbers, count)
  }
}
