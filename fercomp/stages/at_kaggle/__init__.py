"""Commands at Kaggle: what each sends and leaves, its kernels, its results, a kernel that is submitted."""
