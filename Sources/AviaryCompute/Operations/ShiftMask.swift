import AviaryGraph
import AviaryThreads

extension ShiftMask: KernelOperation {
  func candidates(_ fusedOp: FusedOp, _ ir: IRGraph) -> [KernelCandidate] {
    KernelCandidate.rowMajor
  }

  func lower(_ fusedOp: FusedOp, _ lowering: inout Lowering) throws(ComputeError) {
    let kernel = ShiftMaskKernel(self, lowering.value(fusedOp.output).shape)
    lowering.kernel(fusedOp, name, [.value(fusedOp.inputs[0]), .value(fusedOp.output)]) {
      memory, workers in
      unsafe kernel.run(memory[0], to: memory[1], workers)
    }
  }

  /// The sum of a value and a constant has the value's gradient.
  func differentiate(_ fusedOp: FusedOp, _ gradient: Int, _ pass: inout Autodiff) {
    pass.add(gradient, to: fusedOp.inputs[0])
  }

  func overwritable(_ fusedOp: FusedOp, _ ir: IRGraph) -> [Int] { [fusedOp.inputs[0]] }
}

/// Adds the mask to the scores of the last row and the last column of windows; the others are copied,
/// where they do not lie in their place already.
private struct ShiftMaskKernel {
  private let mask: ShiftMask
  /// The rows and columns of windows.
  private let (rows, columns): (Int, Int)
  /// The windows of all images.
  private let windows: Int
  /// The matrices of scores of one window.
  private let matrices: Int

  init(_ mask: ShiftMask, _ shape: [Int]) {
    self.mask = mask
    (rows, columns) = (shape[1], shape[2])
    windows = shape[..<3].reduce(1, *)
    matrices = shape[3..<shape.count - 2].reduce(1, *)
  }

  func run(
    _ scores: UnsafePointer<Float>, to result: UnsafeMutablePointer<Float>, _ workers: ThreadPool
  ) {
    let area = mask.window.area
    let count = matrices * area * area
    workers.split(windows, cost: count) { range in
      for window in range {
        let target = unsafe result + window * count
        if unsafe scores != UnsafePointer(result) {
          unsafe target.update(from: scores + window * count, count: count)
        }
        let (line, column) = window.quotientAndRemainder(dividingBy: columns)
        let isLastRow = line % rows == rows - 1, isLastColumn = column == columns - 1
        guard isLastRow && mask.shift.height > 0 || isLastColumn && mask.shift.width > 0 else {
          continue
        }
        let parts = (0..<area).map {
          mask.part($0, isLastRow: isLastRow, isLastColumn: isLastColumn)
        }
        let value = Float(mask.value)
        for matrix in 0..<matrices {
          for query in 0..<area {
            let row = unsafe target + (matrix * area + query) * area
            for key in 0..<area where parts[key] != parts[query] { unsafe row[key] += value }
          }
        }
      }
    }
  }
}
