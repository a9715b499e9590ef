from dataclasses import dataclass
import numpy as np
@dataclass(frozen=True)
class Hits:
    row: np.ndarray; rank: np.ndarray; users: int
    def part(s,c): return Hits(s.row[c],s.rank[c],s.users)
def _n(h): return np.bincount(h.row,minlength=h.users).astype(float)
def recall_at(h,k):
    n=_n(h); return np.where(n>0,np.bincount(h.row,(h.rank>=0)&(h.rank<k),minlength=h.users)/np.maximum(n,1),np.nan)
def ndcg_at(h,k):
    n=_n(h).astype(int); d=1/np.log2(np.arange(2,k+2)); m=(h.rank>=0)&(h.rank<k); ideal=np.cumsum(d)
    return np.where(n>0,np.bincount(h.row[m],d[h.rank[m]],minlength=h.users)/ideal[np.minimum(np.maximum(n,1),k)-1],np.nan)
def nope_rate_at(h,k): return np.bincount(h.row,(h.rank>=0)&(h.rank<k),minlength=h.users)/k
def purity_at(a,b,k):
    f=lambda h: np.bincount(h.row,(h.rank>=0)&(h.rank<k),minlength=h.users).astype(float)
    return f(a),f(a)+f(b)
def auc(rl,sl,rn,sn,users):
    from scipy.stats import rankdata
    o=np.full(users,np.nan)
    lb=np.searchsorted(rl,np.arange(users+1)); nb=np.searchsorted(rn,np.arange(users+1))
    for u in range(users):
        x=sl[lb[u]:lb[u+1]];y=sn[nb[u]:nb[u+1]]
        if len(x) and len(y): r=rankdata(np.concatenate([x,y])); o[u]=(r[:len(x)].sum()-len(x)*(len(x)+1)/2)/(len(x)*len(y))
    return o
