import numpy as np

F = 18
HIDDEN = 1
W1 = np.zeros((1, F), np.float32)
B1 = np.zeros(1, np.float32)
OUT = np.zeros(1, np.float32)
B2 = np.float32(0.0)
OFFSET = np.zeros(F, np.float32)
SCALE = np.ones(F, np.float32)
